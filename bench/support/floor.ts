/**
 * The raw floor of a transfer on this machine, now: one Node process reads files and sends them over one loopback TCP
 * socket, another hashes what comes (SHA-256, in pieces of a chunk's size) and writes it to one file, synced at the end.
 * No framing, names, encryption or index: nothing that moves, hashes and stores bytes in Node can be faster.
 */
import { fork } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KIB } from '../../base/index.ts'
import { processStats } from './process-stats.ts'

const READ_BYTES = 256 * KIB

export interface FloorResult {
  wallMs: number
  cpuMs: { sender: number; receiver: number }
}

/** Sends every file of `folder` to a receiver that hashes and writes into `output`. */
export const measureFloor = async (folder: string, output: string): Promise<FloorResult> => {
  const child = fork(fileURLToPath(import.meta.url), ['receive', output], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const [port] = (await once(child, 'message')) as [number]
  const own = process.cpuUsage()
  const theirs = processStats(child.pid!).cpuMs
  const began = performance.now()
  const socket = connect(port, '127.0.0.1')
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (const path of filesOf(folder)) await sendFile(path, socket, buffer)
  socket.end()
  await once(child, 'message')
  const wallMs = performance.now() - began
  const used = process.cpuUsage(own)
  const result = {
    wallMs,
    cpuMs: { sender: (used.user + used.system) / 1000, receiver: processStats(child.pid!).cpuMs - theirs }
  }
  socket.destroy()
  child.kill()
  await once(child, 'exit')
  return result
}

/** The buffer is used again only when the socket has taken the bytes. */
const sendFile = async (path: string, socket: Socket, buffer: Buffer): Promise<void> => {
  const file = openSync(path, 'r')
  for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer))
    await new Promise(resolve => socket.write(buffer.subarray(0, length), resolve))
  closeSync(file)
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

const receive = (output: string): void => {
  const server = createServer(socket => {
    const file = openSync(output, 'w')
    socket.on('data', bytes => {
      hash('sha256', bytes, 'buffer')
      writeSync(file, bytes)
    })
    socket.on('end', () => {
      fdatasyncSync(file)
      closeSync(file)
      process.send?.('done')
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port))
}

if (process.argv[2] === 'receive' && process.send !== undefined) receive(process.argv[3]!)
