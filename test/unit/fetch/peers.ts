import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Libp2p } from '@libp2p/interface'
import { type CatalogError, type Clock, SECOND_MS, silentLogger, systemClock } from '../../../base/index.ts'
import {
  type ContentStore,
  createReleaseRecord,
  type IngestResult,
  type Library,
  type Receive,
  type ReleaseRecord
} from '../../../library/index.ts'
import {
  type Budget,
  type ContentServerOptions,
  type Control,
  createContentServer,
  createControl,
  createFetcher,
  createThrottle,
  type DownloadBudget,
  type Fetcher,
  type FetcherOptions,
  PartialContents,
  RecordClient,
  type SourceMemory,
  serveRecords,
  type Throttle,
  type ThrottleOptions
} from '../../../protocols/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, type TarEntry } from '../content/fakes.ts'
import { createNode, introduce } from '../protocols/nodes.ts'
import { keyOf } from '../records/examples.ts'

export const NETWORK = 'test'

/** All of a peer that publishes, serves and fetches, without a daemon around it. */
export interface Peer {
  readonly libp2p: Libp2p
  readonly library: Library
  readonly control: Control
  readonly records: RecordClient
  readonly fetcher: Fetcher
  /** What this peer found wrong with others. */
  readonly violations: CatalogError[]
  close(): Promise<void>
}

export interface PeerOptions {
  readonly server?: Partial<ContentServerOptions>
  readonly onStored?: FetcherOptions['onStored']
  /** Replaces the store that is served from or written to. */
  readonly store?: (real: ContentStore) => ContentStore
  readonly clock?: Clock
  readonly budget?: DownloadBudget
  readonly memory?: SourceMemory
  /** What rations the server; nothing unless given. */
  readonly upload?: Budget
  readonly home?: string
  /** Answers no questions for records: the caller handles them. */
  readonly servesNoRecords?: boolean
  /** Serves nothing: the test handles the content protocol itself. */
  readonly servesNothing?: boolean
}

export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const clock = options.clock ?? systemClock
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'catalog-fetch-')))
  const library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  const libp2p = await createNode()
  const violations: CatalogError[] = []
  const onViolation = (_: unknown, error: CatalogError): void => void violations.push(error)
  const log = silentLogger
  const control = createControl(
    { libp2p, log, clock: systemClock },
    { networkId: NETWORK, agent: 'test/1', onViolation }
  )
  const records = new RecordClient({ control, clock: systemClock, onViolation })
  if (options.servesNoRecords !== true)
    serveRecords({ control, registry: library.registry, clock: systemClock })
  await control.start()
  const store = options.store?.(library.content) ?? library.content
  const { registry } = library
  const partials = new PartialContents()
  const server = createContentServer(
    { libp2p, store, registry, partials, log, clock, upload: options.upload ?? unlimited().upload },
    { networkId: NETWORK, onViolation, ...options.server }
  )
  if (options.servesNothing !== true) await server.start()
  const fetcher = createFetcher(
    {
      libp2p,
      store,
      registry,
      records,
      partials,
      log,
      clock,
      ...(options.budget && { budget: options.budget }),
      ...(options.memory && { memory: options.memory })
    },
    { networkId: NETWORK, onViolation, ...(options.onStored && { onStored: options.onStored }) }
  )
  return {
    libp2p,
    library,
    control,
    records,
    fetcher,
    violations,
    async close() {
      await server.stop()
      await control.stop()
      await libp2p.stop()
      await library.close()
      if (options.home === undefined) await rm(home, { recursive: true })
    }
  }
}

const unlimited = (): Throttle => throttleWith({ clock: systemClock })

/** A throttle with these limits; none unless given. */
export function throttleWith({ clock }: { clock: Clock }, options: Partial<ThrottleOptions> = {}): Throttle {
  const none = { up: 0, down: 0 }
  return createThrottle(
    { clock, isPrivate: () => false },
    {
      total: none,
      perPeer: none,
      windows: [],
      classes: [],
      burst: 65_536,
      isPrivateLimited: true,
      ...options
    }
  )
}

/** Stores entries as a folder would be and publishes them. */
export async function publish(
  peer: Peer,
  entries: TarEntry[],
  name = 'sample',
  version = '1.0.0'
): Promise<ReleaseRecord> {
  const ingest = await peer.library.content.beginIngest({})
  await ingest.write(await makeTar(entries))
  return await publishContent(peer, await ingest.finish(), name, version)
}

/** Publishes a record that says what `content` says, true or not. */
export async function publishContent(
  peer: Peer,
  content: Pick<IngestResult, 'content' | 'sizeBytes' | 'files'>,
  name = 'sample',
  version = '1.0.0'
): Promise<ReleaseRecord> {
  const record = createReleaseRecord(
    {
      name,
      version,
      type: 'package',
      content: content.content,
      sizeBytes: content.sizeBytes,
      files: content.files,
      publishedAt: 1_700_000_000_000,
      sequence: 1_700_000_000_000
    },
    keyOf('alice')
  )
  await peer.library.registry.publish(record.bytes)
  return record
}

/** Runs with a publisher and a consumer that knows its address; closes both. */
export async function withPeers(
  run: (publisher: Peer, consumer: Peer) => Promise<void>,
  options: { publisher?: PeerOptions; consumer?: PeerOptions } = {}
): Promise<void> {
  const [publisher, consumer] = await Promise.all([startPeer(options.publisher), startPeer(options.consumer)])
  await introduce(consumer.libp2p, publisher.libp2p)
  try {
    await run(publisher, consumer)
  } finally {
    await Promise.all([publisher.close(), consumer.close()])
  }
}

/** The whole content as one tar: equal for equal contents. */
export async function tarOf(peer: Peer, record: ReleaseRecord): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of peer.library.content.exportTar(record.release.content))
    parts.push(Uint8Array.from(part))
  return Buffer.concat(parts)
}

/** The same store with one method replaced. */
export function override<K extends keyof ContentStore>(
  real: ContentStore,
  method: K,
  replacement: ContentStore[K]
): ContentStore {
  return withMethod(real, method, replacement)
}

/** The same store with one method of all that it receives replaced. */
export function overrideReceive<K extends keyof Receive>(
  real: ContentStore,
  method: K,
  replacement: (receive: Receive) => Receive[K]
): ContentStore {
  return withMethod(real, 'beginReceive', () => {
    const receive = real.beginReceive()
    return withMethod(receive, method, replacement(receive))
  })
}

function withMethod<T extends object, K extends keyof T>(real: T, method: K, replacement: T[K]): T {
  return new Proxy(real, {
    get(target, key) {
      if (key === method) return replacement
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** A store that is read at a rate, whoever asks. */
export const slowed = (bytesPerSecond: number) => (real: ContentStore) => {
  let freeMs = 0
  return override(real, 'readStoredMany', async (ids, memoryOf, signal) => {
    const blocks = await real.readStoredMany(ids, memoryOf, signal)
    const bytes = blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0)
    const nowMs = systemClock.monotonicMs()
    freeMs = Math.max(freeMs, nowMs) + (bytes / bytesPerSecond) * SECOND_MS
    await systemClock.wait(freeMs - nowMs, signal)
    return blocks
  })
}
