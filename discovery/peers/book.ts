import { backoffDelayMs, type Clock, HOUR_MS, type RetryPolicy, SECOND_MS } from '../../base/index.ts'
import { nearest, sharedPrefixBits } from '../distance.ts'
import type { Contact } from './contact.ts'

/** Peers without a connection that are kept for each length of prefix shared with this node: the k of Kademlia. */
const BUCKET_PEERS = 20
/** A peer that nobody has heard of for this long is forgotten. */
const PEER_LIFETIME_MS = HOUR_MS
/**
 * How long a peer that failed is not asked again. Without jitter: each peer has its own time of failure, and nobody waits for
 * the end of a pause.
 */
const PAUSE: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 30 * SECOND_MS,
  maxDelayMs: HOUR_MS,
  factor: 2,
  jitter: 0
}
/** Peers in all, connected ones included: above any number of connections that a node holds. */
const MAX_PEERS = 2000

interface Entry {
  contact: Contact
  isConnected: boolean
  seenMs: number
  failures: number
  /** Monotonic time until which it is left alone. */
  pausedUntilMs: number
}

/**
 * The peers this node knows, connected ones and those met lately, and how they behave. It is the local part of routing:
 * whom to ask first, and whom to name to others as nearer to a key. Peers without a connection are bounded the Kademlia way:
 * a few for each length of the prefix they share with this node, so it knows many near itself and some everywhere.
 */
export class PeerBook {
  readonly #entries = new Map<string, Entry>()
  readonly #self: Contact
  readonly #clock: Clock

  constructor(self: Contact, clock: Clock) {
    this.#self = self
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  isConnected(id: string): boolean {
    return this.#entries.get(id)?.isConnected === true
  }

  /** A connection to the peer is open: what failed before counts no more. */
  connected(contact: Contact): void {
    if (contact.id === this.#self.id) return
    const known = this.#entries.get(contact.id)
    const addresses = contact.addresses.length > 0 ? contact.addresses : (known?.contact.addresses ?? [])
    this.#put({ ...contact, addresses }, true)
  }

  disconnected(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.isConnected = false
    entry.seenMs = this.#clock.monotonicMs()
    this.#trim(entry.contact)
  }

  /** The peer answered. */
  answered(contact: Contact): void {
    if (contact.id === this.#self.id) return
    const entry = this.#entries.get(contact.id)
    if (entry === undefined) {
      this.#put(contact, false)
      return
    }
    entry.seenMs = this.#clock.monotonicMs()
    entry.failures = 0
    entry.pausedUntilMs = 0
  }

  /** The peer did not answer, or nonsense: it is left alone for a while. */
  failed(contact: Contact): void {
    const entry = this.#entries.get(contact.id) ?? this.#newEntry(contact, false)
    entry.failures++
    entry.pausedUntilMs = this.#clock.monotonicMs() + backoffDelayMs(PAUSE, entry.failures, 0)
    this.#entries.set(contact.id, entry)
    this.#trim(contact)
  }

  /** The peer said goodbye: it is left alone until it connects, and otherwise forgotten. */
  left(id: string): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.pausedUntilMs = this.#clock.monotonicMs() + PEER_LIFETIME_MS
  }

  /** Whether the peer failed lately and is left alone. */
  isPaused(id: string): boolean {
    const entry = this.#entries.get(id)
    return entry !== undefined && entry.pausedUntilMs > this.#clock.monotonicMs()
  }

  /** Peers that may be asked, nearest to `target` first. */
  closest(target: Uint8Array, count: number, connectedOnly = false): Contact[] {
    return nearest(target, this.#askable(connectedOnly), count)
  }

  *#askable(connectedOnly: boolean): Generator<Contact> {
    const nowMs = this.#clock.monotonicMs()
    for (const { contact, isConnected, seenMs, pausedUntilMs } of this.#entries.values())
      if (pausedUntilMs <= nowMs && (isConnected || (!connectedOnly && nowMs - seenMs <= PEER_LIFETIME_MS)))
        yield contact
  }

  /** Number of peers with an open connection that do answer. */
  connectedCount(): number {
    const nowMs = this.#clock.monotonicMs()
    let count = 0
    for (const { isConnected, pausedUntilMs } of this.#entries.values())
      if (isConnected && pausedUntilMs <= nowMs) count++
    return count
  }

  #put(contact: Contact, isConnected: boolean): void {
    this.#entries.delete(contact.id)
    this.#entries.set(contact.id, this.#newEntry(contact, isConnected))
    this.#trim(contact)
  }

  #newEntry(contact: Contact, isConnected: boolean): Entry {
    return { contact, isConnected, seenMs: this.#clock.monotonicMs(), failures: 0, pausedUntilMs: 0 }
  }

  /** Keeps the bounds after a change around `contact`: the longest unseen peer of its bucket goes. */
  #trim({ kademliaId }: Contact): void {
    const bits = sharedPrefixBits(this.#self.kademliaId, kademliaId)
    const bucket = [...this.#entries.values()].filter(
      entry =>
        !entry.isConnected && sharedPrefixBits(this.#self.kademliaId, entry.contact.kademliaId) === bits
    )
    if (bucket.length > BUCKET_PEERS) this.#forgetOldest(bucket)
    if (this.#entries.size > MAX_PEERS) this.#forgetOldest([...this.#entries.values()])
  }

  #forgetOldest(entries: Entry[]): void {
    const oldest = entries.reduce((a, b) => (b.seenMs < a.seenMs ? b : a))
    this.#entries.delete(oldest.contact.id)
  }
}
