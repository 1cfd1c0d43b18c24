/** What looks like a partition and is none, and where the two cannot be told apart. */
import { describe, expect, it } from 'vitest'
import { MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { World } from './partition-world.ts'

describe('no partition is', () => {
  it.each([
    ['a peer that said goodbye', (world: World, peer: string) => world.detector.left(peer)],
    ['a peer that was hung up on', (world: World, peer: string) => world.detector.went(peer, world.nowMs)]
  ])('%s, however many do', (_, go) => {
    const world = new World(6)
    for (const peer of world.peers) go(world, peer)
    world.pass(MINUTE_MS)
    expect(world.name).toBe('whole')
  })

  it('a peer that falls silent after its goodbye', () => {
    const world = new World(6)
    for (const peer of world.peers) world.detector.left(peer)
    world.lose(world.peers)
    world.pass(MINUTE_MS)
    expect(world.name).toBe('whole')
  })

  it('peers that look in for a moment', () => {
    const world = new World(3)
    world.come(['a', 'b', 'c', 'd'])
    world.pass(2 * SECOND_MS)
    world.lose(['a', 'b', 'c', 'd'])
    world.pass(MINUTE_MS)
    expect(world.name).toBe('whole')
  })

  it('peers that fail one after the other', () => {
    const world = new World(8)
    for (const peer of world.peers.slice(0, 7)) {
      world.lose([peer])
      world.pass(21 * SECOND_MS)
      expect(world.name).toBe('whole')
    }
  })

  it('a crowd in one public network, whatever its size', () => {
    const world = new World(40, peer => (Number(peer.slice(4)) < 35 ? 'one /24' : undefined))
    world.lose(world.peers.slice(0, 35))
    world.pass(MINUTE_MS)
    expect(world.name).toBe('whole')
  })

  it('peers that are back when they are dialled', () => {
    const world = new World(6)
    world.lose(world.peers)
    world.pass(SECOND_MS)
    world.come(world.peers)
    world.pass(MINUTE_MS)
    expect(world.name).toBe('whole')
  })

  it('what this node did not hear while it stood still', () => {
    const world = new World(6)
    world.nowMs += 30 * SECOND_MS
    world.lose(world.peers)
    world.pass(5 * SECOND_MS)
    expect(world.name).toBe('whole')
    world.come(world.peers)
    world.pass(MINUTE_MS)
    expect(world.name).toBe('whole')
  })
})

it('a node that slept and finds nobody is cut off after all', () => {
  const world = new World(6)
  world.nowMs += 30 * SECOND_MS
  world.lose(world.peers)
  world.pass(15 * SECOND_MS)
  expect(world.name).toBe('partitioned')
})

it.each([1, 2])(
  'with %d peers a node that loses all of them is offline, and with the next one not',
  count => {
    const world = new World(count)
    world.lose(world.peers)
    world.pass(5 * SECOND_MS)
    expect(world.detector.state).toMatchObject({ name: 'offline', isCutOff: true })
    world.come(['somebody'])
    world.pass(SECOND_MS)
    expect(world.name).toBe('healing')
    expect(world.heal()).toMatchObject({ kind: 'offline', lostPeers: count, returnedPeers: 0 })
  }
)

it('of two peers one may be gone', () => {
  const world = new World(2)
  world.lose(['peer0'])
  world.pass(MINUTE_MS)
  expect(world.name).toBe('whole')
})
