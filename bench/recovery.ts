/**
 * `npm run bench -- recovery [ROUNDS]`: the time from a transient error to work going on, on loopback: a source of a running fetch is killed
 * without a word, hangs up, or resets its streams; a source has no place; the first holder of a look-up is dead; a session of sync and a
 * control stream are cut. 5 rounds of each unless told. Of a fetch it is the longest time without a byte from the error on, of all else the
 * time to the answer that came after it. The target is below a second.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CatalogError, percentile, SECOND_MS, silentLogger, systemClock } from '../base/index.ts'
import { lookUp } from '../node/services/lookup.ts'
import { Syncing, type SyncingModules } from '../node/services/syncing.ts'
import { encodeSyncMessage, listReleases, type SessionPort } from '../protocols/index.ts'
import { syncProtocol } from '../protocols/sync/client.ts'
import { NETWORK, type Peer, type PeerOptions, publish, slowed, startPeer } from '../test/unit/fetch/peers.ts'
import { createNode, introduce } from '../test/unit/protocols/nodes.ts'
import { entries, RATE, RELEASE_BYTES } from './support/recovery-source.ts'
import { type Row, report, round } from './support/report.ts'

const ROUNDS = 5
const TARGET_MS = SECOND_MS
/** Of the release that has come when something goes wrong. */
const FAULT_AT = RELEASE_BYTES / 4
/** How long a fetch is watched after that: longer than the target, or until it ends. */
const WATCH_MS = 3 * SECOND_MS

type Close = () => Promise<unknown>

export const run = async (args: string[]): Promise<void> => {
  const rounds = Number(args.find(arg => /^\d+$/.test(arg)) ?? ROUNDS)
  const rows: Row[] = []
  for (const [name, measure] of Object.entries(CASES)) {
    const tookMs: number[] = []
    for (let round = 0; round < rounds; round++) tookMs.push(await cleanly(measure))
    const [p50, p95] = [0.5, 0.95].map(share => round(percentile(tookMs, share)!))
    rows.push({ name, 'p50 ms': p50!, 'p95 ms': p95!, target: p95! < TARGET_MS ? 'reached' : 'missed' })
  }
  report('recovery', { rounds, targetMs: TARGET_MS, releaseBytes: RELEASE_BYTES, bytesPerSecond: RATE }, rows)
}

/** Closes what a round has opened, the last first. */
async function cleanly(measure: (closes: Close[]) => Promise<number>): Promise<number> {
  const closes: Close[] = []
  try {
    return await measure(closes)
  } finally {
    for (const close of closes.reverse()) await close()
  }
}

const CASES: Record<string, (closes: Close[]) => Promise<number>> = {
  'fetch: one of two sources is killed': async closes => {
    const [child, killed] = await startChild(closes)
    const { sources, consumer } = await startSources(closes, 1)
    await consumer.libp2p.peerStore.merge(killed.peerId, { multiaddrs: killed.addresses })
    return await stall(consumer, [killed.peerId, sources[0]!.libp2p.peerId], () => child.kill('SIGKILL'))
  },
  'fetch: one of two sources hangs up': async closes => {
    const { sources, consumer } = await startSources(closes, 2)
    const [first, second] = sources as [Peer, Peer]
    return await stall(consumer, [first.libp2p.peerId, second.libp2p.peerId], () => first.libp2p.stop())
  },
  'fetch: the only source resets its streams': async closes => {
    const { sources, consumer } = await startSources(closes, 1)
    const [{ libp2p }] = sources as [Peer]
    return await stall(consumer, [libp2p.peerId], () => cutStreams(libp2p))
  },
  'fetch: the first of two sources is busy': async closes => {
    const { sources, consumer } = await startSources(closes, 1)
    const busy = await start(closes, { server: { maxStreams: 0 } })
    await publish(busy, entries())
    await introduce(consumer.libp2p, busy.libp2p)
    const first = Promise.withResolvers<void>()
    const over = new AbortController()
    let busyMs: number | undefined
    const fetching = consumer.fetcher.fetch({
      record: (await published(busy)).id,
      peers: [busy.libp2p.peerId, sources[0]!.libp2p.peerId],
      signal: over.signal,
      onSourceFailed: () => {
        busyMs ??= performance.now()
      },
      onProgress: ({ bytesFetched }) => {
        if (busyMs !== undefined && bytesFetched > 0) first.resolve()
      }
    })
    await Promise.race([first.promise, fetching])
    const tookMs = performance.now() - busyMs!
    over.abort()
    await fetching.catch(() => undefined)
    return tookMs
  },
  'look-up: the first holder is dead': async closes => {
    const { sources, consumer } = await startSources(closes, 1)
    const dead = await createNode()
    await introduce(consumer.libp2p, dead)
    await dead.stop()
    const holders = [dead.peerId, sources[0]!.libp2p.peerId]
    const began = performance.now()
    await lookUp(lookupModules(consumer, holders), { name: 'sample' }, AbortSignal.timeout(10 * SECOND_MS))
    return performance.now() - began
  },
  'sync: the session is cut': async closes => await cutSession(closes),
  'records: the control stream is cut': async closes => {
    const [asker, server] = [await start(closes), await start(closes, { servesNoRecords: true })]
    await introduce(asker.libp2p, server.libp2p)
    let cutMs = 0
    server.control.handle(listReleases, async () => {
      if (cutMs > 0) return { records: [], statements: [] }
      cutMs = performance.now()
      cutStreams(server.libp2p)
      return {}
    })
    await asker.records.list(server.libp2p.peerId, 'sample', { limit: 1 })
    return performance.now() - cutMs
  }
}

const start = async (closes: Close[], options?: PeerOptions): Promise<Peer> => {
  const peer = await startPeer(options)
  closes.push(() => peer.close())
  return peer
}

/** Sources of one release, each at a rate, and who fetches from them. */
async function startSources(closes: Close[], count: number): Promise<{ sources: Peer[]; consumer: Peer }> {
  const consumer = await start(closes)
  const sources: Peer[] = []
  for (let number = 0; number < count; number++) {
    const source = await start(closes, { store: slowed(RATE) })
    await publish(source, entries())
    await introduce(consumer.libp2p, source.libp2p)
    sources.push(source)
  }
  return { sources, consumer }
}

const published = async ({ library }: Peer) => (await library.registry.list({ limit: 1 })).releases[0]!

interface Child {
  peerId: PeerId
  addresses: ReturnType<typeof multiaddr>[]
}

async function startChild(closes: Close[]): Promise<[ChildProcess, Child]> {
  const script = new URL('./support/recovery-source.ts', import.meta.url)
  const child = spawn(process.execPath, [script.pathname], { stdio: ['ignore', 'pipe', 'inherit'] })
  closes.push(async () => child.kill('SIGKILL'))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { peerId, addresses } = JSON.parse(line) as { peerId: string; addresses: string[] }
  return [
    child,
    { peerId: peerIdFromString(peerId), addresses: addresses.map(address => multiaddr(address)) }
  ]
}

/** The longest time without a byte after a fault that comes while a fetch is under way and all sources give. */
async function stall(consumer: Peer, peers: PeerId[], fault: () => unknown): Promise<number> {
  const over = new AbortController()
  const faulty = Promise.withResolvers<void>()
  let lastMs = 0
  let bytes = 0
  let longestMs = 0
  let isFaulty = false
  const onProgress = ({ bytesFetched, sources }: { bytesFetched: number; sources: unknown[] }): void => {
    const nowMs = performance.now()
    if (bytesFetched > bytes && isFaulty) longestMs = Math.max(longestMs, nowMs - lastMs)
    if (bytesFetched > bytes) lastMs = nowMs
    bytes = bytesFetched
    if (isFaulty || bytes < FAULT_AT || sources.length < peers.length) return
    isFaulty = true
    lastMs = nowMs
    void fault()
    faulty.resolve()
  }
  const record = await recordAt(consumer, peers)
  const fetching = consumer.fetcher.fetch({ record, peers, signal: over.signal, onProgress })
  await Promise.race([faulty.promise, fetching])
  if (!isFaulty) throw new CatalogError('INTERNAL', 'the fetch ended before its fault')
  const isDone = await Promise.race([fetching.then(() => true), delay(WATCH_MS, false)])
  // What has not come by now is a stall that still lasts.
  if (!isDone) longestMs = Math.max(longestMs, performance.now() - lastMs)
  over.abort()
  await fetching.catch(() => undefined)
  return longestMs
}

/** All sources have the same content under the same record. */
async function recordAt({ records }: Peer, peers: readonly PeerId[]) {
  const { releases } = await records.list(peers.at(-1)!, 'sample', { limit: 1 })
  return releases[0]!.id
}

function cutStreams(libp2p: Libp2p): void {
  for (const connection of libp2p.getConnections())
    for (const stream of connection.streams) stream.abort(new Error('cut by the benchmark'))
}

/** A network in which these peers claim a name, in this order. */
const lookupModules = ({ records }: Peer, holders: readonly PeerId[]) =>
  ({
    network: {
      connected: () => holders.map(String),
      async *holders() {
        for (const peerId of holders) yield { peerId: peerId.toString(), source: 'dht', ageMs: 0 }
      },
      releases: ({ name }: { name: string }, peerId: string, signal: AbortSignal) =>
        records.list(peerIdFromString(peerId), name, { limit: 1, signal })
    },
    topology: { order: (peers: readonly string[]) => [...peers], lateMs: () => 100 },
    registry: { entries: async function* () {} },
    clock: systemClock,
    logger: silentLogger
  }) as unknown as Parameters<typeof lookUp>[0]

/** A session over a real stream, with sides that say one word each; the first stream is cut after the first word. */
async function cutSession(closes: Close[]): Promise<number> {
  const [reader, writer] = [await createNode(), await createNode()]
  for (const node of [reader, writer]) closes.push(async () => await node.stop())
  const peer = (await introduce(reader, writer)).toString()
  const word = encodeSyncMessage({ kind: 'fin', body: { root: new Uint8Array(32) } })
  let cutMs = 0
  await writer.handle(syncProtocol(NETWORK), stream => {
    stream.addEventListener(
      'message',
      () => {
        if (cutMs > 0) {
          stream.send(word)
          return
        }
        cutMs = performance.now()
        stream.abort(new Error('cut by the benchmark'))
      },
      { once: true }
    )
  })
  const root = new Uint8Array(32)
  const outcome = {
    state: 'equal',
    head: { epoch: 1, revision: 1, expires: 0 },
    root,
    peerRoot: root,
    received: 0,
    removed: 0,
    records: 0
  }
  const port = (): SessionPort<unknown> => {
    let isOver = false
    return {
      take: async () => {
        isOver = true
        return true
      },
      say: async () => ({
        frames: isOver ? [] : [word],
        more: false,
        records: 0,
        isFull: false,
        ...(isOver ? { ended: { outcome } } : {})
      })
    }
  }
  const syncing = new Syncing(
    {
      libp2p: reader,
      peerId: () => reader.peerId.toString(),
      network: { dial: async () => peer, connected: () => reader.getPeers().map(String) },
      sets: {
        headOf: async () => undefined,
        copyOf: async () => undefined,
        session: (_: unknown, work: (port: SessionPort<unknown>) => Promise<unknown>) => work(port())
      },
      clock: systemClock,
      logger: silentLogger,
      onViolation: () => undefined,
      onAudienceChanged: async () => undefined
    } as unknown as SyncingModules,
    { networkId: NETWORK, maxRecords: 1, maxBytes: 1, classes: [] }
  )
  await syncing.sync({ peer }, { signal: AbortSignal.timeout(10 * SECOND_MS), progress: () => undefined })
  return performance.now() - cutMs
}
