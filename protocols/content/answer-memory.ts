import type { Registry as MetricsRegistry } from 'prom-client'
import { BufferPool, type Release, Semaphore, showQueue } from '../../base/index.ts'
import {
  MAX_ANSWER_BYTES,
  MAX_ANSWERS_AHEAD,
  MAX_ANSWERS_HELD,
  MAX_ANSWERS_PER_PEER,
  MAX_KEPT_ANSWER_BUFFERS,
  MAX_STREAMS
} from './limits.ts'
import { HEADER_ROOM_BYTES } from './prepared.ts'

/** Memory for one answer: from before it is read until the transport has copied it, or the stream is cut. */
export interface AnswerPlace {
  /** Memory of this size, once; what is in it are leftovers. */
  bufferOf(sizeBytes: number): Uint8Array
  /** The answer was read ahead, and it is its turn now. */
  isItsTurn(): void
  /** Gives the place back; the memory is used again only if nobody reads or writes it any more. Again does nothing. */
  free(isUnused: boolean): void
}

/**
 * The memory of answers of all streams. A peer that asks on many streams and reads from none leaves an answer in each; so a
 * peer has a few places, whatever it opens, and what is read ahead, which only speed needs, is bounded over all peers, as is
 * everything together: who waits for a place has one when another was taken by its peer, or was cut off for not being.
 */
export class AnswerMemory {
  readonly #buffers = new BufferPool({
    sizeBytes: HEADER_ROOM_BYTES + MAX_ANSWER_BYTES,
    maxKept: MAX_KEPT_ANSWER_BUFFERS
  })
  /** Those of which something is held or awaited. */
  readonly #peers = new Map<string, Semaphore>()
  /** Of all peers together. */
  readonly #all = new Semaphore({
    name: 'answers',
    maxActive: MAX_ANSWERS_HELD,
    maxWaiting: MAX_STREAMS
  })
  #ahead = 0

  constructor(metrics?: MetricsRegistry) {
    showQueue(metrics, this.#all)
  }

  /** Whether the peer would have to wait for a place. */
  isFull(peer: string): boolean {
    return (this.#peers.get(peer)?.active ?? 0) >= MAX_ANSWERS_PER_PEER
  }

  /**
   * A place for the answer whose turn it is, once the peer has one left. Rejects with the reason of `signal`, which
   * also frees the place when it aborts later.
   */
  async take(peer: string, signal: AbortSignal): Promise<AnswerPlace> {
    const places = this.#placesOf(peer)
    try {
      const ofPeer = await acquire(places, signal)
      const ofAll = await acquire(this.#all, signal).catch(reason => {
        ofPeer()
        throw reason
      })
      return this.#place(peer, [ofPeer, ofAll], signal)
    } catch (error) {
      this.#forgetIfUnused(peer)
      throw error
    }
  }

  /** A place for an answer that is read while others are on their way; undefined when none is free. */
  takeAhead(peer: string, signal: AbortSignal): AnswerPlace | undefined {
    if (this.#ahead >= MAX_ANSWERS_AHEAD) return undefined
    const ofPeer = this.#placesOf(peer).tryAcquire()
    const ofAll = ofPeer && this.#all.tryAcquire()
    if (ofPeer === undefined || ofAll === undefined) {
      ofPeer?.()
      return undefined
    }
    this.#ahead++
    return this.#place(peer, [ofPeer, ofAll], signal, true)
  }

  #place(peer: string, releases: readonly Release[], signal: AbortSignal, isReadAhead = false): AnswerPlace {
    let memory: Uint8Array | undefined
    let isAhead = isReadAhead
    let isHeld = true
    const isItsTurn = (): void => {
      if (isAhead) this.#ahead--
      isAhead = false
    }
    const free = (isUnused: boolean): void => {
      if (!isHeld) return
      isHeld = false
      signal.removeEventListener('abort', onAbort)
      isItsTurn()
      if (isUnused && memory !== undefined) this.#buffers.give(memory)
      for (const release of releases) release()
      this.#forgetIfUnused(peer)
    }
    const onAbort = (): void => free(false)
    signal.addEventListener('abort', onAbort, { once: true })
    return {
      bufferOf: sizeBytes => {
        memory = this.#buffers.take(sizeBytes)
        return memory
      },
      isItsTurn,
      free
    }
  }

  #placesOf(peer: string): Semaphore {
    const known = this.#peers.get(peer)
    if (known !== undefined) return known
    const places = new Semaphore({
      name: 'answers of a peer',
      maxActive: MAX_ANSWERS_PER_PEER,
      // A stream waits for one place at a time.
      maxWaiting: MAX_STREAMS
    })
    this.#peers.set(peer, places)
    return places
  }

  #forgetIfUnused(peer: string): void {
    const places = this.#peers.get(peer)
    if (places?.active === 0 && places.waiting === 0) this.#peers.delete(peer)
  }
}

/** An abort that frees the places of one stream may hand them to another place of the same stream. */
async function acquire(places: Semaphore, signal: AbortSignal): Promise<Release> {
  const release = await places.acquire(signal)
  if (signal.aborted) release()
  signal.throwIfAborted()
  return release
}
