/**
 * A process of hostile peers. The test asks through IPC: `{id, method, args}` is answered by `{id, result}` or `{id, error}`.
 */
import { rm } from 'node:fs/promises'
import { HostilePeers } from './hostile-peers.ts'

const STOP_MS = 3000

const { peers, home } = await HostilePeers.open()
type Method = 'join' | 'release' | 'announce' | 'attack'

process.on('message', async ({ id, method, args }: { id: number; method: Method; args: never }) => {
  try {
    process.send!({ id, result: await peers[method](args) })
  } catch (error) {
    process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})
process.once('disconnect', async () => {
  // Whatever hangs in a peer that was cut off everywhere, the folder goes with the process.
  const late = new Promise(resolve => setTimeout(resolve, STOP_MS))
  await Promise.race([peers.stop(), late])
  await rm(home, { recursive: true, force: true })
  process.exit(0)
})
// A hostile peer whose streams are cut in the middle of a lie has nothing to say about it.
process.on('unhandledRejection', () => undefined)
process.send!({ id: 0, result: 'ready' })
