import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test, vi } from 'vitest'
import type { Host } from '../../../node/host/index.ts'
import { reconnect } from '../../../node/host/index.ts'
import { addressOf, cleanUpAfterEachTest, newKey, startHost } from './hosts.ts'

cleanUpAfterEachTest()

const limit = (): AbortSignal => AbortSignal.timeout(15_000)
const knows = async (host: Host, peer: Host): Promise<boolean> =>
  ((await host.libp2p.peerStore.get(peerIdFromString(peer.peerId)).catch(() => undefined))?.protocols ?? [])
    .length > 0

test('a peer is found where it was, or where others say that it is now', { timeout: 30_000 }, async () => {
  const { privateKey } = await newKey()
  // Nobody can dial the seeker: it must do so itself.
  const [middle, seeker] = await Promise.all([startHost({ dht: true }), startHost({ dht: true, listen: [] })])
  const before = await startHost({ dht: true }, { privateKey })
  await seeker.connect(addressOf(middle))
  await vi.waitUntil(() => knows(seeker, middle))
  await seeker.connect(addressOf(before))
  await seeker.libp2p.hangUp(peerIdFromString(before.peerId))
  expect(await reconnect(seeker.libp2p, peerIdFromString(before.peerId), limit())).toBe(true)
  await before.stop()
  await vi.waitUntil(() => seeker.peers().every(({ peerId }) => peerId !== before.peerId), 12_000)
  expect(await reconnect(seeker.libp2p, peerIdFromString(before.peerId), AbortSignal.timeout(500))).toBe(
    false
  )

  const after = await startHost({ dht: true }, { privateKey })
  await after.connect(addressOf(middle))
  await vi.waitUntil(() => knows(middle, after))
  expect(seeker.peers().map(({ peerId }) => peerId)).toEqual([middle.peerId])
  expect(await reconnect(seeker.libp2p, peerIdFromString(after.peerId), limit())).toBe(true)
  const [connection] = seeker.libp2p.getConnections(peerIdFromString(after.peerId))
  expect(connection?.remoteAddr.equals(multiaddr(addressOf(after)))).toBe(true)
})
