/** Makes copies of other nodes' libraries equal to what peers have of them, and says which are here. */
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Registry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type Logger,
  partMetrics,
  type RetryPolicy,
  retry,
  SECOND_MS,
  toCatalogError,
  withSpan
} from '../../base/index.ts'
import { isPublicLibrary } from '../../library/index.ts'
import {
  activeTraceparent,
  asking,
  isSyncViolation,
  runSyncSession,
  type SessionTraffic,
  type SyncClientModules
} from '../../protocols/index.ts'
import {
  decodeHead,
  expectJoinable,
  type FollowOptions,
  type FollowOutcome,
  type LibrarySession,
  type LibrarySets
} from '../../sync/index.ts'
import type { EventHub } from '../events.ts'
import type { FollowShape, SyncResult, SyncStatus } from '../sync-schemas.ts'
import { followedHere } from './followed-here.ts'
import { formatAddress, idOfAddress, type LibraryAddress, parseAddress } from './library-address.ts'
import { bringContent, type LibraryContentModules } from './library-content.ts'
import { followedShape } from './library-shapes.ts'
import type { Network } from './network.ts'
import { isFiltered, matcherOf, type ReleaseMatcher } from './release-filter.ts'
import type { SyncingService, SyncRequest, WorkContext } from './types.ts'
import type { Uniting } from './uniting.ts'
import { nodeKeyOf, writerOf } from './writer-key.ts'

/** A session whose stream was cut goes on from what it has stored, as long as the peer is connected. */
const CUT_AGAIN: RetryPolicy = {
  attempts: 3,
  firstDelayMs: SECOND_MS / 4,
  maxDelayMs: SECOND_MS,
  factor: 2,
  jitter: 0.5
}

export interface SyncingModules extends LibraryContentModules {
  libp2p: SyncClientModules['libp2p']
  /** Of this node. */
  peerId: () => string
  network: Pick<Network, 'dial' | 'connected'>
  uniting: Pick<Uniting, 'unite'>
  sets: Pick<
    LibrarySets,
    'session' | 'followed' | 'copyOf' | 'forget' | 'followedReleases' | 'headOf' | 'access'
  >
  events: Pick<EventHub, 'emit'>
  clock: Clock
  logger: Logger
  metrics?: Registry
  onViolation(peerId: PeerId, error: CatalogError): void
  /** A copy has come, has become another or is gone, and with it, perhaps, who may know of what. */
  onAudienceChanged(): Promise<void>
  /** How the standing subscriptions go. */
  follows(): FollowShape[]
}

export interface SyncingOptions {
  networkId: string
  /** Records that a followed library may have. */
  maxRecords: number
  /** And their bytes, all together. */
  maxBytes: number
  /** Whose content comes first, second and so on. */
  classes: readonly ReleaseMatcher[]
}

export class Syncing implements SyncingService {
  readonly #modules: SyncingModules
  readonly #options: SyncingOptions
  readonly #metrics

  constructor(modules: SyncingModules, options: SyncingOptions) {
    this.#modules = modules
    this.#options = options
    const metrics = partMetrics(modules.metrics, 'sync')
    this.#metrics = {
      sessions: metrics.counter('sessions_total'),
      received: metrics.counter('received_records_total'),
      bytes: metrics.counter('received_bytes_total')
    }
  }

  async sync(request: SyncRequest, context: WorkContext): Promise<SyncResult> {
    return await withSpan('sync', {}, async span => {
      const result = await this.#sync(request, context)
      span.setAttributes({
        'catalog.peer.id': result.peerId,
        'catalog.library': formatAddress(result),
        'catalog.sync.state': result.state
      })
      return result
    })
  }

  async #sync(request: SyncRequest, context: WorkContext): Promise<SyncResult> {
    const { peer, library, strategy, dryRun = false, mode } = request
    const isToJoin = mode === 'union' || request.isToJoin === true
    expectSense(request)
    const { network, clock, logger } = this.#modules
    const { signal } = context
    const startedMs = clock.monotonicMs()
    context.progress({ phase: 'connecting' })
    const peerId = await network.dial(peer, signal)
    const address = parseAddress(library ?? peerId, peerId)
    const id = idOfAddress(address)
    const { name } = address
    await this.#expectAllowed(id, { peerId, isToJoin })
    const before = await this.#modules.sets.copyOf(id)
    const traffic: SessionTraffic = { bytesIn: 0, bytesOut: 0, roundTrips: 0, recordsOut: 0 }
    const wanted = {
      library: id,
      writer: writerOf(address.writer),
      name,
      isDryRun: dryRun,
      isToJoin,
      // Only the writer can tell what has changed.
      strategy: strategy ?? (peerId === address.writer ? 'incremental' : 'differential')
    } as const
    const { head, ...outcome } = await retry(
      () => this.#run(peerIdFromString(peerId), wanted, traffic, context),
      CUT_AGAIN,
      {
        clock,
        signal,
        retryable: thrown =>
          toCatalogError(thrown).code === 'STREAM_TRUNCATED' && network.connected().includes(peerId),
        onRetry: (thrown, attempt, waitMs) =>
          logger.info({ peer: peerId, attempt, waitMs, err: thrown }, 'a session was cut; it goes on')
      }
    ).finally(() => this.#tellFirst(id, before))
    const isClosed = before !== undefined && !isPublicLibrary(before)
    if (outcome.state === 'updated' && !dryRun) {
      if (isClosed) await this.#modules.onAudienceChanged()
      this.#modules.events.emit('library', { id: hex(id), state: outcome.state })
    }
    const joined = mode === 'union' ? await this.#unite(id, request, context) : undefined
    const content = dryRun ? undefined : await this.#bring(id, request, context)
    const tookMs = Math.round(clock.monotonicMs() - startedMs)
    const { received, removed, state, records, way } = outcome
    logger.info(
      {
        peer: peerId,
        library: formatAddress(address),
        state,
        way,
        received,
        removed,
        joined,
        dryRun,
        tookMs
      },
      'a library was followed'
    )
    const { bytesIn, bytesOut, roundTrips, recordsOut } = traffic
    return {
      peerId,
      library: hex(id),
      ...address,
      state,
      ...(way === undefined ? {} : { way }),
      dryRun,
      received,
      removed,
      sent: recordsOut,
      records,
      bytesIn,
      bytesOut,
      roundTrips,
      root: hex(outcome.root),
      peerRoot: hex(outcome.peerRoot),
      head: { ...head, expires: new Date(head.expires).toISOString() },
      ...(joined === undefined ? {} : { joined }),
      ...(content === undefined ? {} : { content }),
      tookMs
    }
  }

  /** Of a closed library that is here nobody is asked who may not know of it: the question says that it is followed; nor for what cannot be. */
  async #expectAllowed(
    library: Uint8Array,
    { peerId, isToJoin }: { peerId: string; isToJoin: boolean }
  ): Promise<void> {
    const { sets } = this.#modules
    const head = await sets.headOf(library)
    if (head === undefined || head.byteLength === 0 || !decodeHead(head).isClosed) return
    if (isToJoin) expectJoinable({ isClosed: true })
    if (await sets.access.admits(library, nodeKeyOf(peerIdFromString(peerId)))) return
    throw new CatalogError('NOT_PERMITTED', `${peerId} is not among those who may know of this library`, {
      details: { peerId },
      hint: 'name its own node, or another member of it'
    })
  }

  async status(signal: AbortSignal): Promise<SyncStatus> {
    const followed = await followedHere(this.#modules, signal)
    return { libraries: followed.map(followedShape), follows: this.#modules.follows() }
  }

  async forget(library: string, signal: AbortSignal): Promise<LibraryAddress> {
    const address = parseAddress(library)
    const text = formatAddress(address)
    if (this.#modules.follows().some(follow => follow.address === text))
      throw new CatalogError('ALREADY_FOLLOWED', `${text} is followed, so its copy would come again`, {
        hint: `to end that and let go of the copy: catalog library unfollow ${text}`
      })
    if (!(await this.#modules.sets.forget(idOfAddress(address), signal)))
      throw new CatalogError('NOT_FOUND', `no copy of the library ${text} is here`, {
        hint: '`catalog sync --status` shows those that are here'
      })
    await this.#modules.onAudienceChanged()
    return address
  }

  /** Who may know of what changes with the first copy of a library, empty or not, and though the session that made it is lost. */
  async #tellFirst(library: Uint8Array, before: string | undefined): Promise<void> {
    const { sets, onAudienceChanged } = this.#modules
    if (before === undefined && (await sets.copyOf(library)) !== undefined) await onAudienceChanged()
  }

  /** How many records joined home, or would. */
  #unite(
    library: Uint8Array,
    { dryRun = false, ...filter }: SyncRequest,
    context: WorkContext
  ): Promise<number> {
    return this.#modules.uniting.unite({ library, filter, isDryRun: dryRun }, context)
  }

  /** The content that is wanted, after the records. */
  async #bring(
    library: Uint8Array,
    { content: policy = 'none', ...filter }: SyncRequest,
    { signal, progress }: WorkContext
  ): Promise<SyncResult['content']> {
    if (policy === 'none') return undefined
    const { fetched, failed, bytesFetched } = await bringContent(
      this.#modules,
      { library, policy, filter, classes: this.#options.classes },
      {
        signal,
        onRelease: ({ name, version }, soFar) =>
          progress({
            phase: `fetching ${name}@${version}`,
            itemsDone: soFar.fetched,
            bytesDone: soFar.bytesFetched
          })
      }
    )
    return { fetched, failed, bytesFetched }
  }

  async #run(
    peerId: PeerId,
    wanted: Pick<FollowOptions, 'library' | 'writer' | 'name' | 'isDryRun' | 'isToJoin' | 'strategy'>,
    traffic: SessionTraffic,
    context: WorkContext
  ): Promise<FollowOutcome> {
    const { sets, libp2p, clock, onViolation } = this.#modules
    const { networkId, maxRecords, maxBytes } = this.#options
    const { signal } = context
    const local = peerIdFromString(this.#modules.peerId()).toMultihash().bytes
    const remote = peerId.toMultihash().bytes
    const limits = { maxRecords, maxBytes, local, remote }
    const run = (port: LibrarySession): ReturnType<typeof runSyncSession<FollowOutcome>> =>
      runSyncSession(
        { libp2p, clock },
        { peerId, networkId, signal },
        watched(port, traffic, context),
        traffic
      )
    try {
      const session = await asking('sync', peerId.toString(), () => {
        const traceparent = activeTraceparent()
        return sets.session({ role: 'follower', ...wanted, ...limits, traceparent }, run, signal)
      })
      const outcome = session?.outcome
      if (outcome === undefined)
        throw new CatalogError('STREAM_TRUNCATED', `${peerId} ended the session early`)
      this.#metrics.sessions.inc({ end: outcome.state })
      this.#metrics.received.inc(outcome.received)
      return outcome
    } catch (thrown) {
      const error = toCatalogError(thrown)
      this.#metrics.sessions.inc({ end: error.code })
      if (isSyncViolation(error) && !signal.aborted) onViolation(peerId, error)
      throw error.code === 'NOT_FOUND' ? notThere(error) : error
    } finally {
      this.#metrics.bytes.inc(traffic.bytesIn)
    }
  }
}

/** What a node may not know of is not there for it, so no more is said of which it is. */
const notThere = ({ message, details, cause }: CatalogError): CatalogError =>
  new CatalogError('NOT_FOUND', message, {
    hint: '`catalog library list` at the node whose library it is prints the addresses, and who may know of it',
    cause,
    ...(details === undefined ? {} : { details })
  })

/** Nothing is accepted that would have no effect. */
function expectSense({ content = 'none', mode, dryRun, ...filter }: SyncRequest): void {
  if (content === 'none' && mode !== 'union' && isFiltered(filter))
    throw new CatalogError('INVALID_ARGUMENT', 'filters say of which releases content comes', {
      hint: 'give --content all or wanted with them, or --mode union; a library itself comes whole'
    })
  // Before anybody is asked for anything.
  matcherOf(filter)
  if (content !== 'none' && dryRun === true)
    throw new CatalogError(
      'INVALID_ARGUMENT',
      'a dry run brings no content, and does not say which would come'
    )
}

/** Tells who watches how far a session has come. */
const watched = (
  port: LibrarySession,
  traffic: SessionTraffic,
  { progress }: WorkContext
): LibrarySession => ({
  say: () => port.say(),
  take: frame => {
    progress({ phase: frame.kind === 'records' ? 'receiving' : 'comparing', bytesDone: traffic.bytesIn })
    return port.take(frame)
  }
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
