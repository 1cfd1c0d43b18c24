/** A network of a few peers in memory, and fetching in it: what each holds and how a transfer goes is the test's to say. */
import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { CatalogError, type Clock, silentLogger, systemClock, untilAborted } from '../../../base/index.ts'
import { createReleaseRecord, type ReleaseRecord, type StatementRecord } from '../../../library/index.ts'
import { EventHub } from '../../../node/events.ts'
import { FetchFailures } from '../../../node/services/fetch-failures.ts'
import type { FetchJob, FetchJobs } from '../../../node/services/fetch-jobs.ts'
import { Fetching } from '../../../node/services/fetching.ts'
import type { ContentFetched, ContentWatch, Network } from '../../../node/services/network.ts'
import type { HavingLibrary } from '../../../sync/index.ts'
import { SigningKey } from '../../../trust/index.ts'
import { asGiven } from './as-given.ts'
import { nothingBlocked } from './nothing-blocked.ts'
import { MANUAL } from './policies.ts'

export const CONTENT = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
export const KEY = SigningKey.generate()
export const FETCHED: ContentFetched = {
  bytesFetched: 10,
  bytesReused: 0,
  sources: [{ peerId: 'p1', bytes: 12 }]
}

export const sha256 = (text: string) => createDigest(0x12, createHash('sha256').update(text).digest())

export const record = (version: string, key = KEY, content = CONTENT): ReleaseRecord =>
  createReleaseRecord(
    {
      name: 'demo',
      version,
      type: 'package',
      content,
      sizeBytes: 10,
      files: 1,
      publishedAt: 1_700_000_000_000,
      sequence: 1
    },
    key
  )

export let nowMs = 0
/** Time that passes as soon as somebody waits, and only then. */
const hasty: Clock = {
  ...systemClock,
  monotonicMs: () => nowMs,
  wait: async (ms, signal) => {
    signal?.throwIfAborted()
    nowMs += ms
  }
}

interface World {
  /** What each peer holds. */
  peers: Record<string, ReleaseRecord[]>
  /** What peers hold that only the DHT knows. */
  unconnected: Record<string, ReleaseRecord[]>
  /** What every peer says of releases, and what of it was kept. */
  said: StatementRecord[]
  kept: Uint8Array[]
  local: ReleaseRecord[]
  complete: boolean
  /** There is nobody to ask. */
  isAlone: boolean
  jobs: Map<string, FetchJob>
  /** Ids of jobs that are no longer under way, and stay. */
  left: string[]
  /** Peers without a connection. */
  gone: Set<string>
  /** Those that were looked for again, each time. */
  soughtAgain: string[][]
  transfers: string[][]
  /** By what the topology puts peers in order. */
  order: (peerIds: readonly string[]) => string[]
  /** Ids of records that are known from closed libraries only, and who may know of them. */
  closed: Set<string>
  members: string[]
  /** Libraries that have the release. */
  having: HavingLibrary[]
  /** Whether those were sought who are not connected, each time. */
  thorough: boolean[]
  /** Names and ids that strangers were asked for. */
  told: string[]
  transfer: (attempt: number, signal: AbortSignal, watch: ContentWatch) => Promise<ContentFetched>
}

export let world: World

export function newWorld(): void {
  world = {
    peers: {},
    unconnected: {},
    said: [],
    kept: [],
    local: [],
    complete: false,
    isAlone: false,
    jobs: new Map(),
    left: [],
    gone: new Set(),
    soughtAgain: [],
    transfers: [],
    order: asGiven.order,
    closed: new Set(),
    members: [],
    having: [],
    thorough: [],
    told: [],
    transfer: async () => FETCHED
  }
}

function network(): Network {
  return {
    connected: () => Object.keys(world.peers).filter(peerId => !world.gone.has(peerId)),
    onConnected: () => () => {},
    reconnect: async peerIds => void world.soughtAgain.push([...peerIds]),
    dial: async target => target,
    announce: async () => 0,
    async *holders(name) {
      world.told.push(name)
      if (world.isAlone) throw new CatalogError('NO_PEERS', 'nobody to ask')
      if (Object.keys(world.peers).length === 0) throw new CatalogError('NO_PROVIDERS', 'nobody announces it')
      for (const peerId of Object.keys(world.peers)) yield { peerId, source: 'dht', ageMs: 0 }
    },
    async *libraryHolders() {},
    async *recordHolders(id) {
      world.told.push(id.toString())
      for (const [peerId, records] of Object.entries(world.unconnected))
        if (records.some(known => known.id.equals(id))) yield { peerId, source: 'dht', ageMs: 0 }
    },
    releases: async (_name, peerId) => ({ releases: world.peers[peerId] ?? [], statements: world.said }),
    record: async (id, peerId) => {
      world.told.push(id)
      const held = world.peers[peerId] ?? world.unconnected[peerId]
      const record = held?.find(known => known.id.toString() === id)
      return record && { record, statements: [] }
    },
    fetchContent: async (_record, peerIds, watch, signal) => {
      world.transfers.push([...peerIds])
      return await world.transfer(world.transfers.length, signal, watch)
    }
  }
}

/** Fetching in the world as it is. `room` comes when it resolves; false is a store that is full. */
export function fetching(room: boolean | Promise<void> = true): Fetching {
  const jobs = {
    begin: async (job: FetchJob) => void world.jobs.set(job.id, job),
    leave: (id: string) => void world.left.push(id),
    end: async (id: string) => void world.jobs.delete(id)
  } as unknown as FetchJobs
  const modules = {
    network: network(),
    topology: { ...asGiven, order: (peerIds: readonly string[]) => world.order(peerIds) },
    direct: network(),
    closedSources: {
      find: async ({ id }: ReleaseRecord, isThorough: boolean) => {
        world.thorough.push(isThorough)
        return world.members.map(peerId => ({ peerId, record: id }))
      },
      async *late() {},
      expectAdmitted: async (_: unknown, peerId: string) => {
        if (!world.members.includes(peerId)) throw new CatalogError('NOT_PERMITTED', 'not a member')
      }
    },
    failures: new FetchFailures({ clock: systemClock }),
    registry: {
      get: (id: CID) => world.local.find(known => known.id.equals(id)),
      versions: async () => world.local,
      status: () => undefined,
      async *entries() {
        for (const { id, release } of world.local)
          yield { ...release, isClosed: world.closed.has(id.toString()) }
      },
      isClosed: ({ id }: ReleaseRecord) => world.closed.has(id.toString()),
      statements: async () => [],
      addStatement: async (bytes: Uint8Array) => void world.kept.push(bytes),
      ownerPin: () => undefined,
      isOwn: async () => true,
      isPinnedInScope: async () => false,
      add: async (bytes: Uint8Array) => {
        const held = [...Object.values(world.peers), ...Object.values(world.unconnected)]
        const all = [...world.local, ...held.flat()]
        const found = all.find(known => known.bytes === bytes)!
        world.local.push(found)
        return { added: true, record: found }
      }
    } as never,
    content: {
      isPinned: () => false,
      summary: () => undefined,
      localState: () => (world.complete ? 'complete' : 'none'),
      stats: () => ({ bytes: 95 })
    } as never,
    policies: MANUAL,
    blocking: nothingBlocked,
    jobs,
    sets: { access: { having: async () => world.having } },
    dropping: { drop: async () => ({ releases: 0, contents: 0, sizeBytes: 0 }) },
    collecting: {
      makeRoom: async (_: unknown, { signal }: { signal: AbortSignal }) => {
        if (room === false) throw new CatalogError('QUOTA_EXCEEDED', 'no room')
        if (room !== true) await untilAborted(room, signal)
        return { filled: () => {}, end: () => {} }
      },
      expect: () => ({ filled: () => {}, end: () => {} })
    },
    events: new EventHub({ clock: systemClock }),
    clock: hasty,
    logger: silentLogger
  }
  return new Fetching(modules, { atOnce: 64 })
}

export const context = (signal = new AbortController().signal) => ({ signal, progress: () => {} })
export const later = () => new Promise(resolve => setImmediate(resolve))
