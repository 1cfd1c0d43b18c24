import type { PeerInfo } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { LocalDiscovery } from '../../../node/host/local-discovery.ts'
import { cleanUpAfterEachTest, newKey } from './hosts.ts'

cleanUpAfterEachTest()

async function foundPeers(count: number): Promise<PeerInfo[]> {
  const keys = await Promise.all(Array.from({ length: count }, newKey))
  return keys.map(({ peerId }) => ({ id: peerIdFromString(peerId), multiaddrs: [] }))
}

test('dials what mDNS finds: a few at a time, more and more seldom, and only what is wanted', async () => {
  let nowMs = 0
  let active = 0
  let maxActive = 0
  const dialled: string[] = []
  const unwanted = new Set<string>()
  const discovery = new LocalDiscovery({
    clock: { ...systemClock, monotonicMs: () => nowMs },
    log: silentLogger,
    random: () => 1,
    isWanted: id => !unwanted.has(id),
    dial: async ({ id }) => {
      dialled.push(id.toString())
      maxActive = Math.max(maxActive, ++active)
      await new Promise(resolve => setImmediate(resolve))
      active--
      throw new Error('nobody there')
    }
  })
  const peers = await foundPeers(100)
  await Promise.all(peers.map(peer => discovery.found(peer)))
  expect(maxActive).toBe(4)
  // 4 active and 60 waiting: the rest is refused and may come again at once.
  expect(dialled).toHaveLength(64)
  await discovery.found(peers[0]!)
  expect(dialled).toHaveLength(64)
  await discovery.found(peers[99]!)
  expect(dialled).toHaveLength(65)
  for (const waitMs of [5000, 20_000, 60_000, 60_000]) {
    const before = dialled.length
    nowMs += waitMs - 1
    await discovery.found(peers[0]!)
    expect(dialled).toHaveLength(before)
    nowMs++
    await Promise.all([discovery.found(peers[0]!), discovery.found(peers[0]!)])
    expect(dialled, 'once, though it is found twice').toHaveLength(before + 1)
  }
  unwanted.add(peers[1]!.id.toString())
  await discovery.found(peers[1]!)
  expect(dialled).toHaveLength(69)
})
