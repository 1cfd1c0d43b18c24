import { type Clock, SECOND_MS } from '../../base/index.ts'
import { fractionOfSpace, xor } from '../distance.ts'
import { kademliaId } from '../keys.ts'
import type { PeerBook } from '../peers/book.ts'
import type { Contact } from '../peers/contact.ts'

/** Holders of a key are its 20 nearest peers; so a node is a holder of keys about as far as its own 20th neighbour. */
const NEIGHBOURS = 20
/** How much farther a key may be: others know other peers, and keys between sparse peers lie farther from all of them. */
const SLACK = 8
/** The neighbourhood is measured anew after this. */
const MEASURE_INTERVAL_MS = 10 * SECOND_MS

/**
 * Whether this node is near enough to a key to keep claims for it. The measure is the distance of its 20th nearest known
 * peer. It knows some peers and not all, which makes the measure too large, never too small: a claim that belongs here is not
 * refused. With fewer peers than that, everything is near.
 */
export class Nearness {
  readonly #self: Contact
  readonly #book: PeerBook
  readonly #clock: Clock
  #radius = 1
  #measuredMs = Number.NEGATIVE_INFINITY

  constructor(self: Contact, book: PeerBook, clock: Clock) {
    this.#self = self
    this.#book = book
    this.#clock = clock
  }

  isNear(key: Uint8Array): boolean {
    this.#measure()
    return fractionOfSpace(xor(this.#self.kademliaId, kademliaId(key))) <= this.#radius
  }

  #measure(): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#measuredMs < MEASURE_INTERVAL_MS) return
    this.#measuredMs = nowMs
    const farthest = this.#book.closest(this.#self.kademliaId, NEIGHBOURS)[NEIGHBOURS - 1]
    this.#radius =
      farthest === undefined ? 1 : SLACK * fractionOfSpace(xor(this.#self.kademliaId, farthest.kademliaId))
  }
}
