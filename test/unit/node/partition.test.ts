/** What a node does about a partition: whom it asks, whom it looks for, what it has done when it is over, and what it says. */
import { EventEmitter } from 'node:events'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, MINUTE_MS, SECOND_MS, silentLogger } from '../../../base/index.ts'
import { EventHub, type NodeEvent } from '../../../node/events.ts'
import type { ConnectedPeer, Host } from '../../../node/host/index.ts'
import { explained } from '../../../node/partition/explaining.ts'
import { PeerLosses } from '../../../node/partition/losses.ts'
import { PartitionWatcher } from '../../../node/partition/watcher.ts'
import type { Healed, PartitionState } from '../../../topology/index.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { viewOf } from '../topology/views.ts'
import { WHOLE } from './whole.ts'

/** What probers say of whoever is lost: a number of the wire, or nothing at all. */
type Word = 0 | 1 | 2 | undefined

class World {
  readonly clock = new ManualClock()
  readonly registry = new Registry()
  readonly peers: string[]
  readonly connected = new Set<string>()
  readonly events = new EventEmitter()
  readonly dialled: string[] = []
  readonly asked: string[] = []
  readonly reached: string[] = []
  readonly heals: number[] = []
  readonly told: NodeEvent[] = []
  readonly states: PartitionState['name'][] = []
  says: (prober: string) => Word = () => 2
  /** Whether who is dialled is there. */
  isBack = false
  heal: (signal: AbortSignal) => Promise<Healed> = async () => ({ syncedLibraries: 1, replayedOperations: 2 })
  readonly losses: PeerLosses
  readonly watcher: PartitionWatcher
  #onGoodbye: (peerId: { toString(): string }) => void = () => undefined

  static async start(count: number): Promise<World> {
    const keys = await Promise.all(Array.from({ length: count }, () => generateKeyPair('Ed25519')))
    const world = new World(keys.map(key => peerIdFromPrivateKey(key).toString()))
    for (const peerId of world.peers) world.come(peerId)
    world.watcher.start()
    await world.clock.advance(20 * SECOND_MS, SECOND_MS)
    return world
  }

  private constructor(peers: string[]) {
    this.peers = peers
    const host = {
      events: this.events,
      peers: () => [...this.connected].map(peerId => ({ peerId }) as ConnectedPeer),
      libp2p: { getConnections: () => [] },
      connect: async (address: string) => {
        const peerId = address.replace('/p2p/', '')
        if (!this.connected.has(peerId)) this.dialled.push(peerId)
        else return {} as ConnectedPeer
        if (!this.isBack) throw new CatalogError('DIAL_FAILED', 'nobody there')
        this.come(peerId)
        return {} as ConnectedPeer
      }
    } as unknown as Host
    const control = {
      heardMs: () => this.clock.monotonicMs(),
      request: async (prober: { toString(): string }, _: unknown, message: { peers?: Uint8Array[] }) => {
        this.asked.push(prober.toString())
        const verdict = this.says(prober.toString())
        if (verdict === undefined) throw new CatalogError('TIMEOUT', 'no answer')
        return { answers: message.peers!.map(() => ({ verdict, roundTripMs: 1 })) }
      },
      onGoodbye: (listener: (peerId: { toString(): string }) => void) => {
        this.#onGoodbye = listener
        return () => undefined
      }
    }
    const hub = new EventHub({ clock: this.clock })
    hub.listen(event => this.told.push(event))
    this.losses = new PeerLosses({ host, clock: this.clock })
    this.losses.watch(control as never)
    this.watcher = new PartitionWatcher({
      host,
      control: control as never,
      topology: {
        views: peerIds => [...peerIds].map(peerId => viewOf(peerId)),
        reachedByOthers: peerId => this.reached.push(peerId)
      },
      detector: this.losses.detector,
      heal: async (sinceMs, signal) => {
        this.heals.push(sinceMs)
        return await this.heal(signal)
      },
      clock: this.clock,
      logger: silentLogger,
      events: hub,
      metrics: this.registry,
      random: Math.random
    })
    this.watcher.onChange(({ name }) => this.states.push(name))
  }

  come(peerId: string): void {
    this.connected.add(peerId)
    this.events.emit('connected', { peerId })
  }

  lose(...peerIds: string[]): void {
    for (const peerId of peerIds) {
      this.connected.delete(peerId)
      this.losses.onSilent({ toString: () => peerId } as never, this.clock.monotonicMs() - 7 * SECOND_MS)
      this.events.emit('disconnected', peerId)
      this.events.emit('silent', peerId)
    }
  }

  goodbye(peerId: string): void {
    this.#onGoodbye({ toString: () => peerId })
  }

  async until(name: PartitionState['name']): Promise<void> {
    for (let steps = 0; steps < 40 && this.watcher.state.name !== name; steps++) await this.clock.advance(500)
    expect(this.watcher.state.name).toBe(name)
  }
}

let world: World
beforeEach(async () => {
  world = await World.start(6)
})
afterEach(() => world.watcher.stop())

describe('a partition', () => {
  it('is told, freezes, and is made up for when the peers are back', async () => {
    expect(world.watcher.isFrozen).toBe(false)
    const cutMs = world.clock.now() - 7 * SECOND_MS
    world.lose(...world.peers.slice(0, 3))
    await world.until('suspected')
    expect(world.watcher.isFrozen).toBe(true)
    await world.until('partitioned')
    expect(world.asked.length).toBeGreaterThanOrEqual(3)
    expect(new Set(world.asked)).toEqual(new Set(world.peers.slice(3)))
    expect(world.losses.isParted(world.peers[0]!)).toBe(true)
    expect(world.losses.isParted(world.peers[3]!)).toBe(false)
    expect(world.watcher.shape()).toMatchObject({ state: 'partitioned', lost: 3, of: 6, last: null })
    await world.clock.advance(20 * SECOND_MS)
    expect(new Set(world.dialled)).toEqual(new Set(world.peers.slice(0, 3)))
    world.isBack = true
    await world.until('whole')
    expect(world.heals).toEqual([cutMs])
    expect(world.watcher.shape().last).toMatchObject({
      kind: 'partitioned',
      since: new Date(cutMs).toISOString(),
      lostPeers: 3,
      returnedPeers: 3,
      syncedLibraries: 1,
      replayedOperations: 2
    })
    const names = ['suspected', 'partitioned', 'healing', 'whole']
    expect(world.states).toEqual(names)
    expect(world.told.map(({ type, data }) => [type, data.state])).toEqual(
      names.map(name => ['partition', name])
    )
    expect(world.told.at(-1)!.data.last).toMatchObject({ lostPeers: 3 })
    const metrics = await world.registry.metrics()
    expect(metrics).toMatch(/catalog_partition_partitions_total 1\n/)
    expect(metrics).toMatch(/catalog_partition_duration_seconds_count 1\n/)
    expect(metrics).toMatch(/catalog_partition_state_number 0\n/)
  })

  it('that lasts freezes no longer where the majority is, and tells those who listen', async () => {
    world.lose(...world.peers.slice(0, 2))
    await world.until('partitioned')
    const frozen: boolean[] = []
    world.watcher.onChange(() => frozen.push(world.watcher.isFrozen))
    await world.clock.advance(16 * MINUTE_MS, SECOND_MS)
    expect(frozen).toEqual([false])
    expect(world.watcher.shape()).toMatchObject({ state: 'partitioned', isFrozen: false })
    world.isBack = true
    await world.until('whole')
    expect(world.heals).toHaveLength(1)
  })

  it('is none where others reach the peers: it is the way from here', async () => {
    world.says = () => 1
    world.lose(...world.peers.slice(0, 3))
    await world.until('suspected')
    await world.until('whole')
    expect(world.reached.toSorted()).toEqual(world.peers.slice(0, 3).toSorted())
    expect(world.states).toEqual(['suspected', 'whole'])
    expect(world.heals).toEqual([])
  })

  it('is one although a prober lies, and another says nothing', async () => {
    const [liar, mute] = world.peers.slice(3)
    world.says = prober => (prober === liar ? 1 : prober === mute ? undefined : 2)
    world.lose(world.peers[0]!, world.peers[1]!)
    world.lose(world.peers[2]!)
    await world.until('partitioned')
  })

  it('asks nobody and looks for nobody as long as nothing is suspected', async () => {
    world.lose(world.peers[0]!)
    await world.clock.advance(60 * SECOND_MS, 500)
    for (const peerId of world.peers.slice(1)) world.goodbye(peerId)
    world.lose(...world.peers.slice(1))
    await world.clock.advance(60 * SECOND_MS, 500)
    expect([world.asked, world.dialled, world.states]).toEqual([[], [], []])
  })

  it('that comes again while it is made up for is not over', async () => {
    world.lose(...world.peers)
    await world.until('partitioned')
    const nothing = { syncedLibraries: 0, replayedOperations: 0 }
    world.heal = signal => new Promise(resolve => signal.addEventListener('abort', () => resolve(nothing)))
    world.isBack = true
    await world.until('healing')
    await eventually(async () => {
      await world.clock.advance(500)
      return world.heals.length === 1
    })
    world.isBack = false
    world.lose(...world.peers)
    await world.until('partitioned')
    await world.clock.advance(2 * SECOND_MS)
    expect(world.watcher.state.name).toBe('partitioned')
    world.heal = async () => nothing
    world.isBack = true
    await world.until('whole')
    expect(world.heals).toHaveLength(2)
    expect(await world.registry.metrics()).toMatch(/catalog_partition_partitions_total 1\n/)
  })
})

describe('what fails meanwhile', () => {
  const parted = () => ({ ...WHOLE, state: 'partitioned' as const, lost: 3, of: 6 })
  const failing = (code: 'NO_PROVIDERS' | 'NAME_INVALID') => async (): Promise<never> => {
    throw new CatalogError(code, 'why', { details: { name: 'demo' } })
  }
  const now = (): number => Date.parse(WHOLE.since) + 90 * SECOND_MS

  it('for want of others says that they are lost, and what to do', async () => {
    await expect(explained(failing('NO_PROVIDERS'), parted, now)()).rejects.toMatchObject({
      code: 'NO_PROVIDERS',
      message: 'why',
      hint: expect.stringMatching(/partitioned for 1m30s, 3 of 6 peers are lost.*--later/),
      details: { name: 'demo', partition: 'partitioned' }
    })
  })

  it('for another reason, or in a whole network, says what it said before', async () => {
    await expect(explained(failing('NAME_INVALID'), parted, now)()).rejects.not.toHaveProperty(
      'details.partition'
    )
    await expect(explained(failing('NO_PROVIDERS'), () => WHOLE, now)()).rejects.not.toHaveProperty(
      'details.partition'
    )
    expect(await explained(async (a: number) => a + 1, parted, now)(1)).toBe(2)
  })
})
