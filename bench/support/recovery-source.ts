/** A source of content in a process of its own, to be killed: tells where it is, and serves until it is. */
import { SECOND_MS } from '../../base/index.ts'
import { pseudoRandom } from '../../test/unit/content/fakes.ts'
import { publish, slowed, startPeer } from '../../test/unit/fetch/peers.ts'

/** A release that takes a while, at a rate far below what the machine can check. */
export const RELEASE_BYTES = 12_000_000
export const RATE = 3_000_000

export const entries = () => [{ name: 'big.bin', body: pseudoRandom('recovery', RELEASE_BYTES) }]

/** One that nobody kills goes by itself. */
const LIFETIME_MS = 60 * SECOND_MS

if (import.meta.main) {
  setTimeout(() => process.exit(1), LIFETIME_MS)
  const peer = await startPeer({ store: slowed(RATE) })
  await publish(peer, entries())
  const addresses = peer.libp2p.getMultiaddrs().map(String)
  process.stdout.write(`${JSON.stringify({ peerId: peer.libp2p.peerId.toString(), addresses })}\n`)
}
