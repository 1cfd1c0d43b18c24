/**
 * Entry of the worker thread: started as this file by Node, or as dist/worker.js from the bundle. The library's own work, and
 * beside it sync, which signs with the node's key.
 */
import { stat } from 'node:fs/promises'
import { runWorker } from '../library/index.ts'
import { openSyncCompanion } from '../sync/index.ts'
import { loadNodeKey } from '../trust/index.ts'
import { homeLayout } from './home/layout.ts'

runWorker(async (modules, { home }) => {
  const { key } = await loadNodeKey(homeLayout(home).nodeKey)
  return await openSyncCompanion({ ...modules, signer: key }, { place: await placeOf(home) })
})

/** The folder itself, not its path: moving a home keeps it, and who copies or restores one makes another folder. */
async function placeOf(home: string): Promise<Uint8Array> {
  const { ino, birthtimeNs } = await stat(home, { bigint: true })
  return Buffer.from(`${ino}/${birthtimeNs}`)
}
