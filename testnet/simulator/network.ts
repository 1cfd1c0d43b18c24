import { CatalogError } from '../../base/index.ts'
import type { Random } from './random.ts'
import { type End, openPipe } from './stream.ts'
import type { Timeline } from './timeline.ts'

/** What the network does to what is sent. */
export interface Weather {
  readonly delayMs: number
  /** Up to so much is added, drawn anew each time: so messages overtake each other. */
  readonly jitterMs: number
  /** Of messages. */
  readonly lossShare: number
  readonly duplicateShare: number
  /** Of the pieces of a stream: with each the connection may be lost. */
  readonly cutShare: number
}

export const FAIR: Weather = { delayMs: 20, jitterMs: 10, lossShare: 0, duplicateShare: 0, cutShare: 0 }

/** A node as the network knows it. */
export interface Station {
  readonly id: number
  readonly isUp: boolean
  /** Takes a head that came by gossip. */
  onMessage(from: number, bytes: Uint8Array): void
  /** Takes a stream that another one has opened. */
  onStream(from: number, end: End): void
}

export interface NetworkCounts {
  messages: number
  messageBytes: number
  lost: number
  duplicated: number
  streams: number
  streamBytes: number
  cut: number
}

interface OpenStream {
  readonly stations: readonly [number, number]
  readonly cut: () => void
}

/**
 * The network between simulated nodes. Messages may be lost, come twice, and overtake each other; streams are reliable and in order until
 * they are cut, which may happen at any piece. A partition stops both.
 */
export class Network {
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #stations = new Map<number, Station>()
  readonly #streams = new Set<OpenStream>()
  /** Part of the network that a station is in. */
  readonly #parts = new Map<number, number>()
  weather: Weather = FAIR
  readonly counts: NetworkCounts = {
    messages: 0,
    messageBytes: 0,
    lost: 0,
    duplicated: 0,
    streams: 0,
    streamBytes: 0,
    cut: 0
  }

  constructor({ timeline, random }: { timeline: Timeline; random: Random }) {
    this.#timeline = timeline
    this.#random = random
  }

  get openStreams(): number {
    return this.#streams.size
  }

  add(station: Station): void {
    this.#stations.set(station.id, station)
  }

  isPartitioned(): boolean {
    return this.#parts.size > 0
  }

  /** Divides the stations into parts that do not reach each other; those that are not named are in part 0. */
  partition(parts: ReadonlyMap<number, number>): void {
    this.#parts.clear()
    for (const [id, part] of parts) this.#parts.set(id, part)
    this.#cut(({ stations: [a, b] }) => this.#partOf(a) !== this.#partOf(b))
  }

  heal(): void {
    this.#parts.clear()
  }

  /** A station is gone: nothing that was open to it is any more. */
  drop(id: number): void {
    this.#cut(({ stations }) => stations.includes(id))
  }

  reaches(from: number, to: number): boolean {
    return this.#partOf(from) === this.#partOf(to) && this.#stations.get(to)?.isUp === true
  }

  send(from: number, to: number, bytes: Uint8Array): void {
    this.counts.messages++
    this.counts.messageBytes += bytes.byteLength
    const copies = this.#random.chance(this.weather.duplicateShare) ? 2 : 1
    this.counts.duplicated += copies - 1
    for (let copy = 0; copy < copies; copy++) {
      const isLost = this.#random.chance(this.weather.lossShare) || !this.reaches(from, to)
      if (isLost) {
        this.counts.lost++
        continue
      }
      this.#timeline.after(this.#delayMs(), () => {
        if (this.reaches(from, to)) this.#stations.get(to)!.onMessage(from, bytes)
        else this.counts.lost++
      })
    }
  }

  /** Opens a stream; the other side has it after one delay. Throws DIAL_FAILED. */
  open(from: number, to: number): End {
    if (!this.reaches(from, to)) throw new CatalogError('DIAL_FAILED', `node ${to} is not reached`)
    this.counts.streams++
    const stream: OpenStream = { stations: [from, to], cut: () => cut() }
    const { near, far, cut } = openPipe({
      streamId: this.counts.streams,
      timeline: this.#timeline,
      random: this.#random,
      delayMs: () => this.#delayMs(),
      onPiece: sizeBytes => {
        this.counts.streamBytes += sizeBytes
        if (!this.#random.chance(this.weather.cutShare)) return
        this.#cut(other => other === stream)
      },
      onEnd: () => this.#streams.delete(stream)
    })
    this.#streams.add(stream)
    this.#timeline.after(this.#delayMs(), () => {
      if (this.reaches(from, to)) this.#stations.get(to)!.onStream(from, far)
      else this.#cut(other => other === stream)
    })
    return near
  }

  #cut(isMeant: (stream: OpenStream) => boolean): void {
    for (const stream of [...this.#streams].filter(isMeant)) {
      this.counts.cut++
      stream.cut()
    }
  }

  #partOf(id: number): number {
    return this.#parts.get(id) ?? 0
  }

  #delayMs(): number {
    return this.weather.delayMs + this.#random.below(this.weather.jitterMs + 1)
  }
}
