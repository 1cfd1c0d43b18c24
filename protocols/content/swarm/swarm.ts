import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  BufferPool,
  CatalogError,
  displaySize,
  type ErrorCode,
  type Logger,
  SECOND_MS,
  Signpost,
  toCatalogError
} from '../../../base/index.ts'
import type { Receive } from '../../../library/index.ts'
import type { Priority } from '../../throttle/index.ts'
import { MANIFEST_UNIT, unitBytesOf } from '../have-map.ts'
import { MAX_ANSWER_BYTES } from '../limits.ts'
import type { SourceModules } from '../source-stream.ts'
import type { ReleaseWalk } from '../walk.ts'
import type { WalkWant } from '../walk-steps.ts'
import { Intake, MAX_UNWRITTEN_BYTES } from './intake.ts'
import { type DownloadBudget, Lane } from './lane.ts'
import { type ExtraWay, MoreWays, type WayOpener, type WayOutcome } from './more-ways.ts'
import { SwarmPlanner } from './planner.ts'
import { MAX_LANES, Roster } from './roster.ts'
import type { Farewell } from './slow-source.ts'
import type { SourceBook } from './source-book.ts'
import { SourceFailure } from './source-failure.ts'
import { Supply } from './supply.ts'
import type { WayKind } from './ways.ts'

/** As many answers as may be unwritten, and one that is being read from each source. */
const MAX_KEPT_BUFFERS = MAX_UNWRITTEN_BYTES / MAX_ANSWER_BYTES + MAX_LANES
/** How often it is looked whether a request is late. */
const TICK_MS = 100
/** So long it is waited for partial holders to get what nobody here has. */
const STARVED_MS = 30 * SECOND_MS
/** Failures that say something about the peer, not about the connection. */
const LIES: ReadonlySet<ErrorCode> = new Set(['BYTES_WRONG', 'PROTOCOL_VIOLATION'])
/** Ticks without anything under way after which a fetch is stuck: a mistake here, not of a peer. */
const MAX_STALLED_TICKS = 50

export interface SwarmModules extends SourceModules {
  readonly store: Pick<Receive, 'writeBlocks'>
  readonly walk: ReleaseWalk
  /** Of all files, as the record states. */
  readonly sizeBytes: number
  readonly book: SourceBook
  readonly budget?: DownloadBudget
  /** Opens more connections to a source that one holds up; none unless given. */
  readonly opener?: WayOpener
  readonly onWay: (way: WayKind, outcome: WayOutcome) => void
  readonly log: Logger
  /** Called after each answer with its bytes on the wire. */
  readonly onReceived: (peerId: PeerId, wireBytes: number) => void
  /** Called once those bytes are known to be right, and kept. */
  readonly onStored: (peerId: PeerId, wireBytes: number) => void
  readonly onFailure: (peerId: PeerId, error: CatalogError) => void
}

export interface SwarmOptions {
  readonly networkId: string
  /** Id of the record by which a peer knows the content. */
  readonly recordAt: (peerId: PeerId) => CID
  /** Best first. */
  readonly peers: readonly PeerId[]
  /** Peers found while the swarm runs, until the signal ends. */
  readonly morePeers?: (signal: AbortSignal) => AsyncIterable<PeerId>
  readonly trafficClass: () => Priority
  /** Requests in flight to one source at most. */
  readonly requestsInFlight: number
  readonly signal: AbortSignal
}

/**
 * Draws whatever a walk misses from several sources at once, until all of it is written or no source is left. The
 * walk's wants go through the supply and the planner to the lanes, and their answers through the intake to the store. What a
 * source was asked for and did not bring goes to the others.
 */
export class Swarm {
  readonly #modules: SwarmModules
  readonly #options: SwarmOptions
  readonly #planner: SwarmPlanner<WalkWant>
  readonly #news = new Signpost()
  readonly #buffers = new BufferPool({ sizeBytes: MAX_ANSWER_BYTES, maxKept: MAX_KEPT_BUFFERS, shared: true })
  readonly #lanes = new Map<string, Lane>()
  readonly #roster: Roster<PeerId>
  readonly #over = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #supply: Supply
  readonly #intake: Intake
  readonly #ways: MoreWays | undefined
  #last = new CatalogError('NO_PROVIDERS', 'there is no source to fetch from')

  constructor(modules: SwarmModules, options: SwarmOptions) {
    this.#modules = modules
    this.#options = options
    const unitBytes = unitBytesOf(modules.sizeBytes)
    const unitOf = ({ offsetBytes }: WalkWant): number =>
      offsetBytes === undefined ? MANIFEST_UNIT : Math.floor(offsetBytes / unitBytes)
    // The manifest before everything: without it nothing else is known.
    const offsetOf = ({ offsetBytes = -1 }: WalkWant): number => offsetBytes
    const unitCount = Math.ceil(modules.sizeBytes / unitBytes)
    this.#planner = new SwarmPlanner({
      unitOf,
      offsetOf,
      unitCount,
      maxRequests: options.requestsInFlight
    })
    this.#roster = new Roster({ book: modules.book, planner: this.#planner })
    const { walk, store, opener, clock, log, onStored, onWay } = modules
    const [planner, buffers] = [this.#planner, this.#buffers]
    const onFailure = (error: unknown): void => this.#fail(error)
    this.#supply = new Supply(
      { walk, planner, onNews: () => this.#news.show(), onDone: () => this.#ended.resolve(), onFailure },
      this.#over.signal
    )
    this.#intake = new Intake(
      { store, walk, planner, buffers, onStored, onChange: () => this.#more(), onFailure },
      this.#over.signal
    )
    this.#ways =
      opener &&
      new MoreWays(
        {
          opener,
          clock,
          log,
          start: this.#startWay,
          stop: this.#stopWay,
          onOutcome: onWay
        },
        this.#over.signal
      )
    // Whoever runs it learns of a failure; one that comes before that must not count as unhandled.
    this.#ended.promise.catch(() => {})
  }

  async run(): Promise<void> {
    const { peers, signal } = this.#options
    const onAbort = (): void => this.#fail(signal.reason)
    signal.addEventListener('abort', onAbort)
    const running = [this.#tick()]
    try {
      signal.throwIfAborted()
      for (const peerId of peers) this.join(peerId)
      if (this.#lanes.size === 0) throw this.#last
      this.#supply.refill()
      running.push(this.#joinMore())
      await this.#ended.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#over.abort(new CatalogError('ABORTED', 'the fetch has ended'))
      this.#news.show()
      await Promise.all([
        ...running,
        this.#supply.settled(),
        ...[...this.#lanes.values()].map(lane => lane.ended)
      ])
      await this.#ways?.close()
      await this.#intake.settled()
    }
  }

  /** Draws from this peer too, now or when there is room. */
  join(peerId: PeerId): void {
    if (this.#over.signal.aborted) return
    this.#roster.add(peerId)
    this.#startLanes()
  }

  async #joinMore(): Promise<void> {
    const { signal } = this.#over
    try {
      for await (const peerId of this.#options.morePeers?.(signal) ?? []) this.join(peerId)
    } catch (thrown) {
      const { code, message } = toCatalogError(thrown)
      if (!signal.aborted) this.#modules.log.debug({ code, reason: message }, 'no more sources can be found')
    }
  }

  #startLanes(): void {
    for (;;) {
      const peerId = this.#roster.next(this.#lanes.size)
      if (peerId === undefined) return
      this.#startLane(peerId)
    }
  }

  #startLane(peerId: PeerId, way?: ExtraWay): void {
    const lane = this.#laneTo(peerId, way)
    this.#lanes.set(lane.key, lane)
    lane.start(error => void this.#laneEnded(lane, error))
  }

  readonly #startWay = (way: ExtraWay): void => {
    if (this.#roster.isLetGo(way.peerId)) this.#ways?.ended(way.key)
    else this.#startLane(way.peerId, way)
  }

  readonly #stopWay = ({ key }: ExtraWay): void => {
    this.#lanes
      .get(key)
      ?.fail(new SourceFailure(new CatalogError('ABORTED', 'the connection brought nothing')))
  }

  #laneTo(peerId: PeerId, way?: ExtraWay): Lane {
    const { libp2p, clock, budget, book, sizeBytes } = this.#modules
    const { networkId, recordAt, trafficClass } = this.#options
    return new Lane(
      {
        libp2p,
        clock,
        planner: this.#planner,
        buffers: this.#buffers,
        news: this.#news,
        ...(budget && { budget }),
        intake: this.#intake,
        onReceived: this.#modules.onReceived,
        onFailure: (peer, error) => this.#failed(peer, error, way)
      },
      {
        networkId,
        peerId,
        record: recordAt(peerId),
        sizeBytes,
        // The book is about peers; each way to one has its own pace.
        rate: way === undefined ? book.of(peerId) : book.of(peerId).beside(),
        ...(way && { way }),
        trafficClass,
        signal: this.#over.signal
      }
    )
  }

  /** That an extra connection went says nothing about the peer; what came over it does. */
  #failed(peerId: PeerId, error: CatalogError, way: ExtraWay | undefined): void {
    if (way === undefined || LIES.has(error.code)) this.#modules.onFailure(peerId, error)
    else
      this.#modules.log.debug(
        { peer: way.key, code: error.code },
        'an extra connection is not drawn from any more'
      )
  }

  /** A lane that ends while the swarm goes on has failed: the next source takes its place. */
  async #laneEnded(lane: Lane, error: unknown): Promise<void> {
    if (this.#over.signal.aborted || error === undefined) return
    this.#lanes.delete(lane.key)
    this.#ways?.ended(lane.key)
    if (!(error instanceof SourceFailure)) return this.#fail(error)
    const { peerId } = lane
    if (!this.#roster.isLetGo(peerId)) this.#last = error.reason
    if (![...this.#lanes.values()].some(other => other.peerId.equals(peerId))) this.#roster.ended(peerId)
    this.#startLanes()
    if (this.#lanes.size > 0) return
    // What the last one sent may have been all that was missing.
    await this.#intake.settled()
    this.#supply.refill()
    await this.#supply.settled()
    if (this.#lanes.size === 0) this.#fail(this.#last)
  }

  /** There may be more to take from the walk, and to ask for. */
  #more(): void {
    this.#supply.refill()
    this.#news.show()
  }

  #fail(error: unknown): void {
    this.#ended.reject(error)
  }

  /** While sources wait for a lane, no other gets a second one. */
  #lookAtWays(): void {
    const { book, walk, sizeBytes } = this.#modules
    if (this.#ways === undefined || this.#roster.hasWaiting || this.#lanes.size >= MAX_LANES) return
    const { bytesFetched, bytesReused } = walk.progress
    const lanes = [...this.#lanes.values()]
    const firsts = lanes.filter(({ key, peerId }) => key === peerId.toString())
    this.#ways.look(
      firsts.map(({ peerId }) => ({
        peerId,
        roundTripMs: book.of(peerId).latencyMs,
        newBytes: new Map(
          lanes.filter(lane => lane.peerId.equals(peerId)).map(lane => [lane.key, lane.takeNewBytes()])
        )
      })),
      sizeBytes - bytesFetched - bytesReused
    )
  }

  /** Lets a source go that is worth less than its place. */
  #lookAtSources(): void {
    const lanes = [...this.#lanes.values()]
    const farewell = this.#roster.look(lanes, this.#modules.clock.monotonicMs())
    if (farewell === undefined) return
    const failure = new SourceFailure(new CatalogError('SOURCE_SLOW', wordsOf(farewell)))
    for (const lane of lanes) if (lane.peerId.toString() === farewell.key) lane.fail(failure)
  }

  /** Now and then lets the lanes look for late requests, and finds out when nothing is under way any more. */
  async #tick(): Promise<void> {
    let stalled = 0
    let starvedMs = 0
    for (;;) {
      try {
        await this.#modules.clock.wait(TICK_MS, this.#over.signal)
      } catch {
        return // over
      }
      this.#news.show()
      this.#lookAtWays()
      this.#lookAtSources()
      const isIdle = this.#planner.inFlight === 0 && !this.#intake.isWriting && !this.#supply.isFilling
      stalled = isIdle && this.#planner.waitingCount === 0 ? stalled + 1 : 0
      if (stalled > MAX_STALLED_TICKS) this.#fail(new CatalogError('INTERNAL', 'a fetch waits for nothing'))
      else if (stalled > 0) this.#supply.refill()
      starvedMs =
        isIdle && this.#planner.waitingCount > 0 && !this.#planner.isServable ? starvedMs + TICK_MS : 0
      if (starvedMs >= STARVED_MS) this.#fail(starved())
    }
  }
}

function wordsOf(farewell: Farewell): string {
  const rate = (bytesPerSecond: number): string => `${displaySize(Math.round(bytesPerSecond))}/s`
  return farewell.why === 'slow'
    ? `it sent ${rate(farewell.goodput)} where the others sent ${rate(farewell.othersGoodput)} on average, and was let go`
    : `it was the slowest source with ${rate(farewell.goodput)}, and made room for one that waited`
}

const starved = (): CatalogError =>
  new CatalogError('NO_PROVIDERS', 'none of the sources has what is missing, and none is getting it')
