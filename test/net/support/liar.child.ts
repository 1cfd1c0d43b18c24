/**
 * A hostile peer as a program of its own, for scenarios: it reads one line of JSON that says what to claim and how to lie, makes a release
 * of those bytes, joins the target, claims there to hold the release, and prints the signed record. It stays until it is ended.
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ContentLie } from '../../daemon/support/hostile-content.ts'
import { HostilePeers } from '../../daemon/support/hostile-peers.ts'

interface Orders {
  /** Address of the daemon to join. */
  readonly target: string
  readonly lie: ContentLie
  readonly name: string
  /** The one file `data.bin`, in base64. */
  readonly data: string
}

const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string]
const { target, lie, name, data } = JSON.parse(line) as Orders
const { peers, home } = await HostilePeers.open('/ip4/0.0.0.0/udp/0/quic-v1')
process.once('SIGTERM', () => {
  rmSync(home, { recursive: true, force: true })
  process.exit()
})
// A hostile peer whose streams are cut in the middle of a lie has nothing to say about it.
process.on('unhandledRejection', () => undefined)
const { record } = await peers.release({ name, files: { 'data.bin': Buffer.from(data, 'base64') } })
const { number, peerId } = await peers.join({ target, content: lie })
await peers.announce({ number, name })
console.log(JSON.stringify({ peerId, name, record }))
