/**
 * A swarm without a network: sources with a rate, a latency and a temper, in virtual time, driven by the planner and the
 * roster alone. Each source answers in the order of asking at its own rate; nothing else limits anybody.
 */
import { Part } from '../../../protocols/content/frames.ts'
import type { Want } from '../../../protocols/content/planner.ts'
import { type Assignment, type Holding, WHOLE } from '../../../protocols/content/swarm/asked.ts'
import { SwarmPlanner } from '../../../protocols/content/swarm/planner.ts'
import { Roster } from '../../../protocols/content/swarm/roster.ts'
import type { Farewell } from '../../../protocols/content/swarm/slow-source.ts'
import { SourceBook } from '../../../protocols/content/swarm/source-book.ts'

export interface SimWant extends Want {
  readonly number: number
  readonly unit: number
}

export interface SimSource {
  readonly name: string
  /** Of several connections to one peer each is a source; the name unless given. */
  readonly peer?: string
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
  /** When the first half of the wants was there without a gap. */
  readonly halfMs: number
  /** Who was let go, in order. */
  readonly letGo: Farewell[]
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
/** How often it is looked who is to be let go. */
const TICK_MS = 100
const PATIENCE_MS = 2 * 60_000

export function simulate(sources: readonly SimSource[], count: number, maxRequests = 8): SimResult {
  return new Simulation(sources, count, maxRequests).run()
}

class Simulation {
  readonly #sources: readonly SimSource[]
  readonly #wants: SimWant[]
  readonly #planner: SwarmPlanner<SimWant>
  readonly #book = new SourceBook()
  readonly #roster: Roster<string>
  /** Of sources that are here: what they will answer, in order. */
  readonly #queues = new Map<string, Job[]>()
  readonly #got = new Set<number>()
  readonly #order: number[] = []
  readonly #sent = new Map<string, number>()
  #offered = 0
  #wasted = 0
  readonly #letGo: Farewell[] = []
  #maxInFlight = 0
  /** Wants that are there without a gap. */
  #prefix = 0
  #halfMs: number | undefined
  #nowMs = 0

  constructor(sources: readonly SimSource[], count: number, maxRequests: number) {
    this.#sources = sources
    this.#wants = wantsOf(count)
    const unitCount = 1 + (this.#wants.at(-1)?.unit ?? -1)
    this.#planner = new SwarmPlanner<SimWant>({ unitOf: want => want.unit, unitCount, maxRequests })
    this.#roster = new Roster({ book: this.#book, planner: this.#planner })
  }

  run(): SimResult {
    for (; this.#nowMs < PATIENCE_MS; this.#nowMs += STEP_MS) {
      for (const source of this.#sources) this.#happen(source)
      if (this.#nowMs % TICK_MS === 0) this.#look()
      this.#fill()
      if (this.#got.size === this.#wants.length)
        return {
          tookMs: this.#nowMs,
          sent: this.#sent,
          wasted: this.#wasted,
          order: this.#order,
          maxInFlight: this.#maxInFlight,
          halfMs: this.#halfMs!,
          letGo: this.#letGo
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
      this.#roster.add(name)
      this.#startLanes()
    }
    if (this.#nowMs === source.leavesMs && this.#queues.has(name)) this.#leave(name)
    for (;;) {
      const queue = this.#queues.get(name)
      if (queue?.[0] === undefined || queue[0].endsMs > this.#nowMs) return
      this.#answer(source, queue.shift()!)
    }
  }

  #startLanes(): void {
    for (;;) {
      const name = this.#roster.next(this.#queues.size)
      if (name === undefined) return
      const { latencyMs, holding = WHOLE, peer } = this.#sources.find(source => source.name === name)!
      const rate = this.#book.of(name)
      rate.roundTrip(latencyMs)
      this.#queues.set(name, [])
      this.#planner.join(name, rate, holding, peer)
    }
  }

  #leave(name: string): void {
    this.#queues.delete(name)
    this.#planner.leave(name)
    this.#roster.ended(name)
    this.#startLanes()
  }

  #look(): void {
    const lanes = [...this.#queues.keys()].map(name => ({ key: name, peerId: name }))
    const farewell = this.#roster.look(lanes, this.#nowMs)
    if (farewell === undefined) return
    this.#letGo.push(farewell)
    this.#leave(farewell.key)
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
    while (this.#got.has(this.#prefix)) this.#prefix++
    if (this.#prefix >= this.#wants.length / 2) this.#halfMs ??= this.#nowMs
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
