import { type Clock, HOUR_MS, LruCache, MINUTE_MS } from '../../../base/index.ts'

/** Who could not prove something is not asked for it again for so long: it costs a round trip and a copy too many at worst. */
const DOUBT_MS = 6 * HOUR_MS
/** Who says itself that it has not all of a content may have it soon: it is perhaps just coming. */
const ABSENT_MS = 10 * MINUTE_MS
/** Failures after which a peer is asked for nothing for as long. */
const MAX_FAILURES = 3
/** Peers and contents remembered of either kind, about 200 bytes each. Who makes this node forget some has them challenged once more. */
const MAX_DOUBTS = 10_000
const MAX_PEERS = 2000

/** Of who said that it has not all of a content. */
interface Absence {
  readonly untilMs: number
  /** It has told since that it holds it: believed once in that time, or telling would have it challenged without end. */
  readonly isOver: boolean
  readonly mayTell: boolean
}

/** Who is left alone, and until when (monotonic). */
export class Doubts {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #ofContents = new LruCache<string, number>({ maxEntries: MAX_DOUBTS })
  readonly #absent = new LruCache<string, Absence>({ maxEntries: MAX_DOUBTS })
  readonly #ofPeers = new LruCache<string, { failures: number; untilMs: number }>({ maxEntries: MAX_PEERS })

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Whether a peer is not to be asked for a proof of a content. */
  isDoubted(peerId: string, content: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const ofPeer = this.#ofPeers.get(peerId)
    if (ofPeer !== undefined && ofPeer.failures >= MAX_FAILURES && nowMs < ofPeer.untilMs) return true
    const key = keyOf(peerId, content)
    const absence = this.#absent.get(key)
    if (absence !== undefined && !absence.isOver && nowMs < absence.untilMs) return true
    return nowMs < (this.#ofContents.get(key) ?? Number.NEGATIVE_INFINITY)
  }

  /** It has proved something: what it failed at before stays doubted, and counts no more against others. */
  proved(peerId: string): void {
    this.#ofPeers.delete(peerId)
  }

  /** It has said that it has not all of a content. */
  absent(peerId: string, content: string): void {
    const key = keyOf(peerId, content)
    const nowMs = this.#clock.monotonicMs()
    const isAgain = nowMs < (this.#absent.get(key)?.untilMs ?? Number.NEGATIVE_INFINITY)
    this.#absent.set(key, { untilMs: nowMs + ABSENT_MS, isOver: false, mayTell: !isAgain })
  }

  /** It says that it has it now: what it said before is over, unless telling was wrong before. What it failed to prove is not. */
  claimed(peerId: string, content: string): void {
    const key = keyOf(peerId, content)
    const absence = this.#absent.get(key)
    if (absence?.mayTell === true) this.#absent.set(key, { ...absence, isOver: true })
  }

  failed(peerId: string, content: string): void {
    const nowMs = this.#clock.monotonicMs()
    const untilMs = nowMs + DOUBT_MS
    this.#ofContents.set(keyOf(peerId, content), untilMs)
    const known = this.#ofPeers.get(peerId)
    const before = known !== undefined && nowMs < known.untilMs ? known.failures : 0
    this.#ofPeers.set(peerId, { failures: before + 1, untilMs })
  }
}

const keyOf = (peerId: string, content: string): string => `${peerId} ${content}`
