import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  type BufferPool,
  CatalogError,
  type ErrorCode,
  retry,
  SECOND_MS,
  type Signpost,
  toCatalogError
} from '../../../base/index.ts'
import type { Priority } from '../../throttle/index.ts'
import type { Have } from '../frames.ts'
import { HaveMap } from '../have-map.ts'
import { MAP_EVERY_MS } from '../limits.ts'
import type { PlannedRequest } from '../planner.ts'
import { type SourceAnswer, type SourceModules, SourceStream } from '../source-stream.ts'
import type { WalkWant } from '../walk-steps.ts'
import { type Assignment, UNKNOWN, WHOLE } from './asked.ts'
import type { Intake } from './intake.ts'
import type { ExtraWay } from './more-ways.ts'
import type { SwarmPlanner } from './planner.ts'
import { ofSource, SourceFailure } from './source-failure.ts'
import type { SourceRate } from './source-rate.ts'

/** Attempts at one source in a row that bring nothing before it is given up; the wait is what it said, or this. */
const ATTEMPTS = { attempts: 3, firstDelayMs: 500, maxDelayMs: SECOND_MS, factor: 1, jitter: 0.2 }
/** A peer that asks for more patience than this is given up for now. */
const MAX_RETRY_MS = 5 * SECOND_MS
/** Times that a partial holder may lack what it said it had, beside the first request, which is sent before it said anything. */
const MAX_FALSE_CLAIMS = 4
/** Failures after which the same source may do better a moment later. */
const TRY_AGAIN: ReadonlySet<ErrorCode> = new Set(['BUSY', 'STREAM_TRUNCATED'])

/** Download limits, asked for before each request leaves. Waits until so many bytes of such a class may come. */
export interface DownloadBudget {
  take(peerId: PeerId, trafficClass: Priority, bytes: number, signal: AbortSignal): Promise<void>
}

export interface LaneModules extends SourceModules {
  readonly planner: SwarmPlanner<WalkWant>
  readonly buffers: BufferPool
  /** Shown whenever there may be something new to ask or to read. */
  readonly news: Signpost
  readonly budget?: DownloadBudget
  /** Takes answers whose blocks are wanted. */
  readonly intake: Pick<Intake, 'accept' | 'room'>
  /** Bytes came over the wire, wanted or not. */
  readonly onReceived: (peerId: PeerId, wireBytes: number) => void
  readonly onFailure: (peerId: PeerId, error: CatalogError) => void
}

export interface LaneOptions {
  readonly networkId: string
  readonly peerId: PeerId
  readonly record: CID
  /** Of all files, as the record states. */
  readonly sizeBytes: number
  readonly rate: SourceRate
  /** For a lane beside the first to this peer: the connection it uses, and another key. */
  readonly way?: ExtraWay
  readonly trafficClass: () => Priority
  /** Aborted when the swarm is over, whether or not it has all. */
  readonly signal: AbortSignal
}

/**
 * One source of a swarm: a stream to it, on which requests are sent as the planner gives them and answers are read as
 * they come, at the same time. Opens the stream anew when it fails for the moment; ends with a SourceFailure when the
 * source is given up, and without one when the swarm is over.
 */
export class Lane {
  readonly key: string
  readonly #modules: LaneModules
  readonly #options: LaneOptions
  #source: SourceStream<WalkWant> | undefined
  readonly #assignments = new Map<PlannedRequest<WalkWant>, Assignment<WalkWant>>()
  #broughtBytes = 0
  /** Over streams that are gone, and of all those that were told. */
  #receivedBytes = 0
  #toldBytes = 0
  #ended: Promise<void> = Promise.resolve()
  #failure: SourceFailure | undefined
  #isPartial = false
  /** When it said last what it has; never again while it is asked. */
  #toldMs = 0
  #falseClaims = 0

  constructor(modules: LaneModules, options: LaneOptions) {
    this.#modules = modules
    this.#options = options
    this.key = options.way?.key ?? options.peerId.toString()
  }

  get peerId(): PeerId {
    return this.#options.peerId
  }

  /** Bytes that have come since this was asked last, those of answers that are not whole yet too. */
  takeNewBytes(): number {
    const bytes = this.#receivedBytes + (this.#source?.receivedBytes ?? 0) - this.#toldBytes
    this.#toldBytes += bytes
    return bytes
  }

  /** Resolves when the lane is over; never rejects. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** Begins; `onEnd` is told the failure, or undefined when the swarm was over. */
  start(onEnd: (error: unknown) => void): void {
    this.#ended = this.#run().then(() => onEnd(undefined), onEnd)
  }

  async #run(): Promise<void> {
    const { signal } = this.#options
    while (!signal.aborted) {
      const before = this.#broughtBytes
      const hasBrought = (): boolean => this.#broughtBytes > before
      try {
        await retry(() => this.#session(), ATTEMPTS, {
          clock: this.#modules.clock,
          signal,
          retryable: error => !hasBrought() && isMomentary(error),
          delayOf: askedDelay
        })
        return
      } catch (error) {
        if (signal.aborted) return
        // What brought something in between may fail again as often.
        if (!hasBrought() || !isMomentary(error)) throw error
      }
    }
  }

  /** Ends the lane at once: what the source sent was found to be wrong, or it is drawn from no more. */
  fail(failure: SourceFailure): void {
    this.#failure ??= failure
    this.#source?.abort(failure.reason)
  }

  async #session(): Promise<void> {
    const { libp2p, clock, buffers, planner, news, onFailure } = this.#modules
    const { networkId, peerId, record, rate, trafficClass, signal, way } = this.#options
    const over = way && { connection: way.connection }
    // It was ended while nothing was open.
    if (this.#failure !== undefined) throw this.#failure
    try {
      const source = await ofSource(
        SourceStream.open<WalkWant>(
          { libp2p, clock },
          { networkId, peerId, record, priority: trafficClass(), signal, buffers, ...over }
        ),
        signal
      )
      this.#source = source
      planner.join(this.key, rate, UNKNOWN, peerId.toString())
      this.#isPartial = false
      this.#falseClaims = 0
      await this.#draw(source)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SourceFailure) onFailure(peerId, error.reason)
      throw error
    } finally {
      const { receivedBytes = 0 } = this.#source ?? {}
      this.#receivedBytes += receivedBytes
      rate.streamEnded(receivedBytes, planner.owesForMs(this.key, clock.monotonicMs()))
      this.#source = undefined
      this.#assignments.clear()
      planner.leave(this.key)
      news.show()
    }
  }

  /** Asks and reads until the swarm is over or either fails. */
  async #draw(source: SourceStream<WalkWant>): Promise<void> {
    const { signal } = this.#options
    const over = new AbortController()
    const end = (): void => source.close()
    signal.addEventListener('abort', end)
    try {
      await Promise.all(
        [this.#ask(source, over.signal), this.#read(source, over.signal)].map(work =>
          work.catch(error => {
            this.#abort(source, error)
            over.abort(error)
            this.#modules.news.show()
            throw error
          })
        )
      )
    } catch (error) {
      throw this.#failure ?? error
    } finally {
      signal.removeEventListener('abort', end)
      source.close()
    }
  }

  #abort(source: SourceStream<WalkWant>, error: unknown): void {
    source.abort(
      error instanceof SourceFailure ? error.reason : new CatalogError('ABORTED', 'the fetch has ended')
    )
  }

  async #ask(source: SourceStream<WalkWant>, over: AbortSignal): Promise<void> {
    const { planner, clock, news, budget } = this.#modules
    const { peerId, trafficClass, signal } = this.#options
    const ended = AbortSignal.any([over, signal])
    while (!ended.aborted) {
      if (this.#isPartial && clock.monotonicMs() - this.#toldMs >= MAP_EVERY_MS) {
        // Until it is answered: an answer sets it again.
        this.#toldMs = Number.POSITIVE_INFINITY
        await ofSource(source.askHave(), signal)
        news.show()
      }
      const assignment = planner.next(this.key, clock.monotonicMs())
      if (assignment === undefined) {
        await news.shown()
        continue
      }
      await budget?.take(peerId, trafficClass(), assignment.bytes, ended)
      this.#assignments.set(assignment.request, assignment)
      await ofSource(source.ask(assignment.request), signal)
      planner.sent(this.key, assignment, clock.monotonicMs())
      news.show()
    }
  }

  async #read(source: SourceStream<WalkWant>, over: AbortSignal): Promise<void> {
    const { news, intake } = this.#modules
    const { rate, signal } = this.#options
    while (!over.aborted && !signal.aborted) {
      const isFirst = source.roundTripMs === undefined
      if (source.inFlight === 0 && !isFirst) {
        await news.shown()
        continue
      }
      const event = await ofSource(source.next(), signal)
      if (isFirst) rate.roundTrip(source.roundTripMs!)
      if (event.kind === 'blocks') this.#take(event.answer)
      else if (event.kind === 'have') this.#told(event.have)
      else this.#lacked(event.request, event.reason)
      news.show()
      await intake.room()
      if (this.#failure !== undefined) throw this.#failure
    }
  }

  #take(answer: SourceAnswer<WalkWant>): void {
    const { planner, clock, buffers, intake, onReceived } = this.#modules
    const { request, buffer, wireBytes } = answer
    const assignment = this.#assigned(request)
    if (planner.answered(this.key, assignment, wireBytes, clock.monotonicMs())) {
      intake.accept(this, assignment, answer)
      this.#broughtBytes += wireBytes
    } else buffers.give(buffer)
    onReceived(this.peerId, wireBytes)
  }

  #told(have: Have | undefined): void {
    const { planner, clock } = this.#modules
    this.#isPartial = have !== undefined
    this.#toldMs = clock.monotonicMs()
    try {
      const holding = have === undefined ? WHOLE : new HaveMap(have, this.#options.sizeBytes)
      planner.holds(this.key, holding)
    } catch (error) {
      throw new SourceFailure(toCatalogError(error))
    }
  }

  /** A partial holder may be wrong now and then; one that has everything, or is wrong again and again, is of no use. */
  #lacked(request: PlannedRequest<WalkWant>, reason: CatalogError): void {
    const { planner, clock } = this.#modules
    if (!this.#isPartial || ++this.#falseClaims > MAX_FALSE_CLAIMS) throw new SourceFailure(reason)
    planner.lacked(this.key, this.#assigned(request), clock.monotonicMs())
  }

  #assigned(request: PlannedRequest<WalkWant>): Assignment<WalkWant> {
    const assignment = this.#assignments.get(request)!
    this.#assignments.delete(request)
    return assignment
  }
}

function isMomentary(error: unknown): boolean {
  if (!(error instanceof SourceFailure) || !TRY_AGAIN.has(error.reason.code)) return false
  return (askedDelay(error) ?? 0) <= MAX_RETRY_MS
}

/** How long the peer itself asked to be left alone. */
function askedDelay(error: unknown): number | undefined {
  const asked = error instanceof SourceFailure ? error.reason.details?.retryAfterMs : undefined
  return typeof asked === 'number' ? asked : undefined
}
