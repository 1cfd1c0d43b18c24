/**
 * A swarm without a network: sources with a rate, a latency and a temper, in virtual time, driven by the planner alone.
 * Each source answers in the order of asking at its own rate; nothing else limits anybody.
 */
import { Part } from '../../../protocols/content/frames.ts'
import type { Want } from '../../../protocols/content/planner.ts'
import {
  type Assignment,
  type Holding,
  SwarmPlanner,
  WHOLE
} from '../../../protocols/content/swarm/planner.ts'
import { SourceRate } from '../../../protocols/content/swarm/source-rate.ts'

export interface SimWant extends Want {
  readonly number: number
  readonly unit: number
}

export interface SimSource {
  readonly name: string
  /** Bytes a second. */
  readonly rate: number
  readonly latencyMs: number
  readonly holding?: Holding
  /** When it comes and goes. */
  readonly joinsMs?: number
  readonly leavesMs?: number
  /** From then on it answers no more. */
  readonly silentMs?: number
  /** Answers that it has not what it said. */
  readonly lacks?: (unit: number) => boolean
  /** What it sends is wrong: it is left at its first answer. */
  readonly lies?: boolean
}

export interface SimResult {
  readonly tookMs: number
  /** Bytes that each source sent. */
  readonly sent: Map<string, number>
  /** Bytes that came twice. */
  readonly wasted: number
  /** Numbers of the wants in the order in which they came. */
  readonly order: number[]
  readonly maxInFlight: number
}

interface Job {
  readonly assignment: Assignment<SimWant>
  readonly endsMs: number
}

const CHUNK_BYTES = 65_536

export const wantsOf = (count: number, unitChunks = 16): SimWant[] =>
  Array.from({ length: count }, (_, number) => ({
    number,
    unit: Math.floor(number / unitChunks),
    id: Uint8Array.of(number >> 8, number & 255),
    rawLengthBytes: CHUNK_BYTES,
    position: { part: Part.File, page: 0, slot: 0, level: 0, index: number }
  }))

/** Wants that wait before the planner, as the walk holds them back. */
const AHEAD = 512
const STEP_MS = 1
const PATIENCE_MS = 2 * 60_000

export function simulate(sources: readonly SimSource[], count: number, maxRequests = 8): SimResult {
  return new Simulation(sources, count, maxRequests).run()
}

class Simulation {
  readonly #sources: readonly SimSource[]
  readonly #wants: SimWant[]
  readonly #planner: SwarmPlanner<SimWant>
  /** Of sources that are here: what they will answer, in order. */
  readonly #queues = new Map<string, Job[]>()
  readonly #got = new Set<number>()
  readonly #order: number[] = []
  readonly #sent = new Map<string, number>()
  #offered = 0
  #wasted = 0
  #maxInFlight = 0
  #nowMs = 0

  constructor(sources: readonly SimSource[], count: number, maxRequests: number) {
    this.#sources = sources
    this.#wants = wantsOf(count)
    this.#planner = new SwarmPlanner<SimWant>({ unitOf: want => want.unit, maxRequests })
  }

  run(): SimResult {
    for (; this.#nowMs < PATIENCE_MS; this.#nowMs += STEP_MS) {
      for (const source of this.#sources) this.#happen(source)
      this.#fill()
      if (this.#got.size === this.#wants.length)
        return {
          tookMs: this.#nowMs,
          sent: this.#sent,
          wasted: this.#wasted,
          order: this.#order,
          maxInFlight: this.#maxInFlight
        }
      for (const source of this.#sources) this.#ask(source)
    }
    throw new Error(`only ${this.#got.size} of ${this.#wants.length} came`)
  }

  #fill(): void {
    const { length } = this.#wants
    while (this.#offered < length && this.#planner.waitingCount < AHEAD)
      this.#planner.offer([this.#wants[this.#offered++]!])
    if (this.#offered === length) this.#planner.drained()
  }

  /** A source comes, goes, or answers. */
  #happen(source: SimSource): void {
    const { name } = source
    if (this.#nowMs === (source.joinsMs ?? 0)) {
      this.#queues.set(name, [])
      const rate = new SourceRate()
      rate.roundTrip(source.latencyMs)
      this.#planner.join(name, rate, source.holding ?? WHOLE)
    }
    if (this.#nowMs === source.leavesMs) this.#leave(name)
    for (;;) {
      const queue = this.#queues.get(name)
      if (queue?.[0] === undefined || queue[0].endsMs > this.#nowMs) return
      this.#answer(source, queue.shift()!)
    }
  }

  #leave(name: string): void {
    this.#queues.delete(name)
    this.#planner.leave(name)
  }

  #answer({ name, lacks, lies }: SimSource, { assignment }: Job): void {
    const { request, bytes } = assignment
    if (lacks?.(request.wants[0]!.unit) === true) {
      this.#planner.lacked(name, assignment, this.#nowMs)
      return
    }
    const isFirst = this.#planner.answered(name, assignment, bytes, this.#nowMs)
    this.#sent.set(name, (this.#sent.get(name) ?? 0) + bytes)
    if (lies === true) {
      if (isFirst) this.#planner.rejected(assignment)
      this.#leave(name)
    } else if (isFirst) this.#use(request.wants)
    else this.#wasted += bytes
  }

  #use(wants: readonly SimWant[]): void {
    for (const { number } of wants) {
      if (this.#got.has(number)) throw new Error(`want ${number} was used twice`)
      this.#got.add(number)
      this.#order.push(number)
    }
  }

  #ask(source: SimSource): void {
    const queue = this.#queues.get(source.name)
    if (queue === undefined) return
    for (;;) {
      const assignment = this.#planner.next(source.name, this.#nowMs)
      if (assignment === undefined) return
      this.#planner.sent(source.name, assignment, this.#nowMs)
      const startMs = Math.max(this.#nowMs + source.latencyMs, queue.at(-1)?.endsMs ?? 0)
      const isSilent = startMs >= (source.silentMs ?? Number.POSITIVE_INFINITY)
      const tookMs = (assignment.bytes / source.rate) * 1000
      queue.push({ assignment, endsMs: isSilent ? Number.POSITIVE_INFINITY : startMs + tookMs })
      this.#maxInFlight = Math.max(this.#maxInFlight, queue.length)
    }
  }
}

/** The time that sources would need that lose nothing. */
export const idealMs = (sources: readonly SimSource[], count: number): number =>
  ((count * CHUNK_BYTES) / sources.reduce((sum, { rate }) => sum + rate, 0)) * 1000
