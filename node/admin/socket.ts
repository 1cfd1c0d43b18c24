import { chmod, lstat, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { CatalogError } from '../../base/index.ts'
import { PRIVATE_FILE_MODE } from '../home/layout.ts'

/**
 * Makes the path free for listening: removes the socket of a daemon that is gone. SOCKET_IN_USE when something answers
 * there, or when the path holds something that is no socket.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return
  if (!found.isSocket())
    throw new CatalogError('SOCKET_IN_USE', `${path} exists and is no socket`, { details: { path } })
  if (await answers(path))
    throw new CatalogError('SOCKET_IN_USE', `something answers on ${path}`, { details: { path } })
  await rm(path, { force: true })
}

/** Only the owner may connect. The home is 0700, so nobody could between listen and this. */
export async function closeToOthers(path: string): Promise<void> {
  await chmod(path, PRIVATE_FILE_MODE)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // A full backlog (EAGAIN) has a living listener behind it.
      if (error.code === 'EAGAIN') return resolve(true)
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') return resolve(false)
      reject(error)
    })
  })
}
