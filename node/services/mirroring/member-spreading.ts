/**
 * How members hear of each other. Each new record is told to a few peers, who tell it on once (a *rumour*: most nodes hear of it within seconds),
 * and each minute two peers compare all that they know, so that whoever missed it hears of it sooner or later (*anti-entropy*; Demers et al.,
 * "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987).
 *
 * They compare by rateless sketches (sync/sketch): who asks gets the first cells of the other's sketch, reads the difference out of them and its own, or
 * asks for as many cells as it takes, and then brings what the other has not and gets what it has not itself. The other keeps no state, and
 * one comparison makes both equal.
 */
import type { PeerId } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type CatalogError,
  type Clock,
  changedWithin,
  type Logger,
  MINUTE_MS,
  partMetrics,
  SECOND_MS,
  Signpost,
  timeoutSignal,
  toCatalogError
} from '../../../base/index.ts'
import type { MemberRecord } from '../../../mirror/index.ts'
import {
  type Control,
  exchangeMembers,
  MAX_MEMBERS_PER_MESSAGE,
  MEMBER_KEY_BYTES,
  type PeerRate,
  PeerRates,
  sketchMembers
} from '../../../protocols/index.ts'
import {
  cellsFor,
  decodeCounts,
  decodeDifference,
  decodeSketch,
  encodeCells,
  encodeCounts,
  estimateDifference,
  HELLO_CELLS,
  HELLO_COUNTS,
  keyBytesOf,
  MAX_SKETCH_CELLS,
  type SketchDifference
} from '../../../sync/index.ts'
import { Ongoing } from '../ongoing.ts'
import type { KnownMembers } from './known-members.ts'
import { keyText, MemberIntake } from './member-intake.ts'

/** Peers that a rumour is told by each who hears of it: with four, 98 of 100 nodes hear of it so. */
const RUMOUR_PEERS = 4
/** What comes together is told together. */
const RUMOUR_PAUSE_MS = SECOND_MS
/** Records that wait to be told; of more, those that came first are left to comparisons. */
const MAX_RUMOURS = 256
/** Messages of rumours that are on their way. */
const MAX_TELLING = 64
/** Older ones are no news: a node that hears of thousands at its start need not tell them all. */
const NEWS_MS = 10 * MINUTE_MS
const COMPARE_MS = MINUTE_MS
/** Less or more by up to this part. */
const COMPARE_JITTER = 0.25
/** A connection that has just come may be one that goes, or not be ready for streams. */
const AFTER_CONNECT_MS = 2 * SECOND_MS
/** Peers that have just come and are yet to be compared with; the others are met by chance. */
const MAX_MET = 64
/** All of a comparison. One that is cut off has kept what came. */
const COMPARISON_MS = 30 * SECOND_MS
/** At once: peers that are slow on purpose keep no others from being compared with for long. */
const MAX_COMPARING = 4
/** Sketches that are asked for in one: the first is a guess, the second an estimate, the third twice that. */
const MAX_SKETCHES = 3
/** Sketches that one peer may ask for: one is a copy of 350 KB at most. */
const SKETCH_RATE: PeerRate = { perSecond: 1 / 5, burst: 12 }
/** Exchanges of one peer: one a second of rumours, and at once those of a comparison of all that there may be. */
const EXCHANGE_RATE: PeerRate = { perSecond: 5, burst: 100 }
/** Records that are given to one peer: all at once, when it begins. */
const GIVE_RATE: PeerRate = { perSecond: 50, burst: 10_240 }

export interface MemberSpreadingModules {
  control: Pick<Control, 'request' | 'handle'>
  known: KnownMembers
  /** Peers with a connection. */
  connected(): PeerId[]
  /** Of this node: of two that meet, the one with the smaller id begins. */
  peerId: string
  originOf(peerId: PeerId): string
  onViolation(peerId: PeerId, error: CatalogError): void
  /** Records were taken. */
  onTaken(): void
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry
  random(): number
}

interface Rumour {
  readonly bytes: Uint8Array
  /** Who told it, and need not be told. */
  readonly from: string
}

export class MemberSpreading extends Ongoing {
  readonly #modules: MemberSpreadingModules
  readonly #intake: MemberIntake
  readonly #sketchRates: PeerRates
  readonly #exchangeRates: PeerRates
  readonly #giveRates: PeerRates
  readonly #rumours = new Map<string, Rumour>()
  readonly #met = new Map<string, { peerId: PeerId; atMs: number }>()
  readonly #comparing = new Set<Promise<void>>()
  #telling = 0
  readonly #hasNews = new Signpost()
  readonly #hasMet = new Signpost()
  readonly #metrics

  constructor(modules: MemberSpreadingModules) {
    super('spreading of members', modules.logger)
    this.#modules = modules
    const { clock, control } = modules
    const metrics = partMetrics(modules.metrics, 'members')
    metrics.gauge('known_records', () => modules.known.size)
    this.#metrics = {
      compared: metrics.counter('comparisons_total'),
      taken: metrics.counter('taken_records_total'),
      refused: metrics.counter('refused_records_total'),
      bytes: metrics.counter('exchanged_bytes_total')
    }
    this.#intake = new MemberIntake({
      ...modules,
      onRefused: reason => this.#metrics.refused.inc({ reason })
    })
    this.#sketchRates = new PeerRates(SKETCH_RATE, clock)
    this.#exchangeRates = new PeerRates(EXCHANGE_RATE, clock)
    this.#giveRates = new PeerRates(GIVE_RATE, clock)
    control.handle(sketchMembers, ({ cells }, { peerId }) => {
      this.#sketchRates.take(peerId.toString(), 1)
      return this.#answerSketch(cells)
    })
    control.handle(exchangeMembers, async ({ wanted, records }, { peerId }) => {
      this.#exchangeRates.take(peerId.toString(), 1)
      this.#giveRates.take(peerId.toString(), wanted.byteLength / MEMBER_KEY_BYTES)
      await this.#take(peerId, records)
      return { records: this.#found(wanted) }
    })
  }

  /** A record of this node, or one that was heard elsewhere. */
  tell(record: MemberRecord): void {
    this.#addRumour(record, '')
  }

  /** Tells all connected peers at once, and waits until they have answered. Rejects with the signal's reason. */
  async tellAll({ bytes }: MemberRecord, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#modules.connected().map(peerId => this.#tell(peerId, [bytes], signal)))
    signal.throwIfAborted()
  }

  /** A connection to a peer is there. */
  met(peerId: PeerId): void {
    const { clock, peerId: own } = this.#modules
    // To the end, whether it is there already: the first is the one whose time comes first.
    this.#met.delete(peerId.toString())
    if (this.#met.size >= MAX_MET || own > peerId.toString()) return
    this.#met.set(peerId.toString(), { peerId, atMs: clock.monotonicMs() + AFTER_CONNECT_MS })
    this.#hasMet.show()
  }

  /**
   * Finds out how this node's records and a peer's differ, and makes both equal, as far as each has room. Throws what `Control.request` does, BUSY, and what
   * the peer does against the protocol, which is reported.
   */
  async compare(peerId: PeerId, signal: AbortSignal): Promise<void> {
    const { mine, theirs } = await this.#differenceTo(peerId, signal)
    const given = mine.flatMap(item => this.#modules.known.byKey(keyBytesOf(item))?.bytes ?? [])
    const wanted = this.#withRoom(peerId, theirs.map(keyBytesOf))
    // What it has first: a peer without room for what this node has must not keep that back.
    for (let at = 0; at < wanted.length; at += MAX_MEMBERS_PER_MESSAGE)
      await this.#fetch(peerId, wanted.slice(at, at + MAX_MEMBERS_PER_MESSAGE), signal)
    for (let at = 0; at < given.length; at += MAX_MEMBERS_PER_MESSAGE)
      await this.#bring(peerId, given.slice(at, at + MAX_MEMBERS_PER_MESSAGE), signal)
  }

  protected async run(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all([this.#tellRumours(signal), this.#compareAgain(signal)])
    } finally {
      await Promise.all(this.#comparing)
    }
  }

  async #differenceTo(peerId: PeerId, signal: AbortSignal): Promise<SketchDifference> {
    const { control, known } = this.#modules
    let cells = HELLO_CELLS
    for (let round = 1; ; round++) {
      const answer = await control.request(peerId, sketchMembers, { cells }, { signal })
      this.#metrics.bytes.inc({ direction: 'in' }, answer.cells.byteLength + answer.counts.byteLength)
      const own = known.sketch
      const { difference, estimate } = this.#reported(peerId, () => {
        const theirs = decodeSketch([answer], answer.records)
        const counts = decodeCounts(answer.counts, { records: answer.records })
        return {
          difference: decodeDifference(own.prefix(theirs.cellCount), theirs),
          estimate: estimateDifference(own.count, counts)
        }
      })
      if (difference.isComplete || round === MAX_SKETCHES || cells === MAX_SKETCH_CELLS) return difference
      const more = Math.max(cellsFor(estimate) ?? MAX_SKETCH_CELLS, 2 * cells)
      cells = Math.min(MAX_SKETCH_CELLS, more)
    }
  }

  #answerSketch(cells: number): { records: number; cells: Uint8Array; counts: Uint8Array } {
    const { sketch, size } = this.#modules.known
    const answer = {
      records: size,
      cells: encodeCells(sketch, 0, cells),
      counts: encodeCounts(sketch, 0, Math.max(cells, HELLO_COUNTS))
    }
    this.#metrics.bytes.inc({ direction: 'out' }, answer.cells.byteLength + answer.counts.byteLength)
    return answer
  }

  /** What a peer sent that cannot be read is reported. */
  #reported<T>(peerId: PeerId, read: () => T): T {
    try {
      return read()
    } catch (thrown) {
      const error = toCatalogError(thrown)
      this.#modules.onViolation(peerId, error)
      throw error
    }
  }

  /** Those of the peer's records that it may bring: newer ones of known nodes before unknown nodes. */
  #withRoom(peerId: PeerId, keys: readonly Uint8Array[]): Uint8Array[] {
    const { known } = this.#modules
    const { records, newNodes } = this.#intake.room(peerId)
    const newer = keys.filter(key => known.byKey(key) !== undefined)
    const unknown = keys.filter(key => known.byKey(key) === undefined)
    return [...newer, ...unknown.slice(0, newNodes)].slice(0, records)
  }

  #found(wanted: Uint8Array): Uint8Array[] {
    const records: Uint8Array[] = []
    for (let at = 0; at < wanted.byteLength; at += MEMBER_KEY_BYTES) {
      const record = this.#modules.known.byKey(wanted.subarray(at, at + MEMBER_KEY_BYTES))
      if (record !== undefined) records.push(record.bytes)
    }
    this.#metrics.bytes.inc({ direction: 'out' }, sizeOf(records))
    return records
  }

  /** What is new is told on, whatever comes of the rest. */
  async #take(peerId: PeerId, records: readonly Uint8Array[], asked?: ReadonlySet<string>): Promise<void> {
    this.#metrics.bytes.inc({ direction: 'in' }, sizeOf(records))
    let taken = 0
    const onTaken = (record: MemberRecord): void => {
      taken++
      this.#addRumour(record, peerId.toString())
    }
    try {
      await this.#intake.take(peerId, records, onTaken, asked)
    } finally {
      this.#metrics.taken.inc(taken)
      if (taken > 0) this.#modules.onTaken()
    }
  }

  #addRumour({ node, sequence, bytes }: MemberRecord, from: string): void {
    if (this.#modules.clock.now() - sequence > NEWS_MS) return
    const name = keyText(node)
    this.#rumours.delete(name)
    this.#rumours.set(name, { bytes, from })
    const [oldest] = this.#rumours.keys()
    if (this.#rumours.size > MAX_RUMOURS) this.#rumours.delete(oldest!)
    this.#hasNews.show()
  }

  async #tellRumours(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    while (!signal.aborted) {
      const news = this.#hasNews.shown()
      if (this.#rumours.size === 0) await changedWithin(news, Number.POSITIVE_INFINITY, { clock, signal })
      await clock.wait(RUMOUR_PAUSE_MS, signal)
      const rumours = [...this.#rumours.values()]
      this.#rumours.clear()
      for (const peerId of this.#chosen(RUMOUR_PEERS)) {
        const untold = rumours.filter(({ from }) => from !== peerId.toString())
        const records = untold.map(({ bytes }) => bytes)
        // Nobody waits for a peer that is slow.
        if (this.#telling < MAX_TELLING) void this.#tell(peerId, records, signal)
      }
    }
  }

  async #compareAgain(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#modules
    let nextMs = clock.monotonicMs()
    while (!signal.aborted) {
      const met = this.#hasMet.shown()
      const [first] = this.#met.values()
      const atMs = Math.min(nextMs, first?.atMs ?? nextMs)
      if (clock.monotonicMs() < atMs) {
        await changedWithin(met, atMs - clock.monotonicMs(), { clock, signal })
        continue
      }
      if (clock.monotonicMs() >= nextMs)
        nextMs = clock.monotonicMs() + COMPARE_MS * (1 + COMPARE_JITTER * (2 * random() - 1))
      const peerId = this.#nextMet() ?? this.#chosen(1)[0]
      if (peerId === undefined) continue
      const comparison = this.#tryCompare(peerId, signal).finally(() => this.#comparing.delete(comparison))
      this.#comparing.add(comparison)
      if (this.#comparing.size >= MAX_COMPARING) await Promise.race(this.#comparing)
    }
  }

  #nextMet(): PeerId | undefined {
    const [first] = this.#met.values()
    if (first === undefined || first.atMs > this.#modules.clock.monotonicMs()) return undefined
    this.#met.delete(first.peerId.toString())
    return first.peerId
  }

  /** Whatever comes of it, another time may do better. */
  async #tryCompare(peerId: PeerId, signal: AbortSignal): Promise<void> {
    try {
      await this.compare(peerId, AbortSignal.any([signal, timeoutSignal(COMPARISON_MS)]))
      this.#metrics.compared.inc({ outcome: 'ok' })
    } catch (thrown) {
      const { code, message } = toCatalogError(thrown)
      this.#metrics.compared.inc({ outcome: code })
      this.#modules.logger.debug(
        { peer: peerId.toString(), code, reason: message },
        'members were not compared'
      )
    }
  }

  /** So many connected peers, by chance. */
  #chosen(count: number): PeerId[] {
    const { connected, random } = this.#modules
    const peers = connected()
    for (let at = 0; at < Math.min(count, peers.length); at++) {
      const other = at + Math.floor(random() * (peers.length - at))
      ;[peers[at], peers[other]] = [peers[other]!, peers[at]!]
    }
    return peers.slice(0, count)
  }

  /** Never rejects: who could not be told hears of it by a comparison. */
  async #tell(peerId: PeerId, records: Uint8Array[], signal: AbortSignal): Promise<void> {
    if (records.length === 0) return
    this.#telling++
    try {
      await this.#bring(peerId, records, signal)
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      this.#modules.logger.debug({ peer: peerId.toString(), code }, 'a peer could not be told of members')
    } finally {
      this.#telling--
    }
  }

  async #bring(peerId: PeerId, records: Uint8Array[], signal: AbortSignal): Promise<void> {
    await this.#modules.control.request(peerId, exchangeMembers, { records }, { signal })
    this.#metrics.bytes.inc({ direction: 'out' }, sizeOf(records))
  }

  async #fetch(peerId: PeerId, keys: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const wanted = Buffer.concat(keys)
    const { records } = await this.#modules.control.request(peerId, exchangeMembers, { wanted }, { signal })
    this.#metrics.bytes.inc({ direction: 'out' }, wanted.byteLength)
    await this.#take(peerId, records, new Set(keys.map(keyText)))
  }
}

const sizeOf = (records: readonly Uint8Array[]): number =>
  records.reduce((sum, { byteLength }) => sum + byteLength, 0)
