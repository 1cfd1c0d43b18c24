import { expect, test } from 'vitest'
import { CatalogError, SECOND_MS, silentLogger } from '../../../base/index.ts'
import { WayBack } from '../../../node/host/way-back.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { cleanUpAfterEachTest, newKey } from './hosts.ts'

cleanUpAfterEachTest()

const peers = await Promise.all(
  Array.from({ length: 3 }, async () => {
    const { peerIdFromString } = await import('@libp2p/peer-id')
    return peerIdFromString((await newKey()).peerId)
  })
)
const [a, b, c] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]]

/** A way back whose dials reach those in `reachable`. */
function wayBack() {
  const clock = new FakeClock()
  const dialled: string[] = []
  const reachable = new Set<string>()
  const connected = new Set<string>()
  const way = new WayBack({
    clock,
    log: silentLogger,
    random: () => 0,
    isConnected: peer => connected.has(peer.toString()),
    dial: async peer => {
      dialled.push(peer.toString())
      if (!reachable.has(peer.toString())) throw new CatalogError('DIAL_FAILED', 'nobody there')
      connected.add(peer.toString())
      way.returned(peer.toString())
    }
  })
  return { way, clock, dialled, reachable, connected }
}

test('dials those that a change of address has cost, before it was seen or after, and nobody else', async () => {
  const { way, clock, dialled, reachable } = wayBack()
  for (const peer of peers) reachable.add(peer.toString())
  way.lost(a)
  await clock.advance(60 * SECOND_MS)
  way.lost(b)
  await clock.settle()
  expect(dialled).toEqual([])
  way.changed()
  await clock.settle()
  expect(dialled).toEqual([b.toString()])
  way.lost(c)
  await clock.settle()
  expect(dialled).toEqual([b.toString(), c.toString()])
  await clock.advance(60 * SECOND_MS)
  way.lost(a)
  await clock.settle()
  expect(dialled).toHaveLength(2)
})

test('goes on for a while when a peer cannot be reached at first, and from the start after the next change', async () => {
  const { way, clock, dialled, reachable } = wayBack()
  way.lost(a)
  way.changed()
  await clock.advance(SECOND_MS)
  const before = dialled.length
  expect(before).toBeGreaterThan(1)
  reachable.add(a.toString())
  await clock.advance(4 * SECOND_MS)
  expect(dialled).toHaveLength(before + 1)
  reachable.clear()
  way.lost(b)
  await clock.advance(25 * SECOND_MS)
  const tries = dialled.length
  await clock.advance(60 * SECOND_MS)
  expect(dialled).toHaveLength(tries)
  way.lost(b)
  way.changed()
  await clock.settle()
  expect(dialled).toHaveLength(tries + 1)
})

test('leaves alone who said goodbye, who came back by itself, and who hangs up again', async () => {
  const { way, clock, dialled, reachable, connected } = wayBack()
  way.lost(a)
  way.forget(a.toString())
  way.lost(b)
  connected.add(b.toString())
  way.returned(b.toString())
  way.changed()
  await clock.advance(30 * SECOND_MS)
  expect(dialled).toEqual([])

  reachable.add(c.toString())
  way.changed()
  for (let time = 0; time < 3; time++) {
    way.lost(c)
    connected.delete(c.toString())
    await clock.settle()
  }
  expect(dialled).toEqual([c.toString()])

  way.changed()
  way.stop()
  way.lost(a)
  await clock.advance(30 * SECOND_MS)
  expect(dialled).toHaveLength(2)
})
