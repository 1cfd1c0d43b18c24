/**
 * For how long the content that a peer fetches is kept from garbage collection for its sake. While it fetches, the rest must not
 * go; but a peer that asks for a block a minute could so keep contents here for ever, on a store that needs the room. So each
 * peer has an allowance for each content: the time that all of it takes at the least rate a limit can have, and some minutes.
 * It begins with the peer's first stream and is not renewed by the next. After it the peer is served as long as the content
 * stays, like everybody.
 */
import { type Clock, DAY_MS, KIB, LruCache, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { ContentStore, Release } from '../../library/index.ts'

/** Of a peer under the least limit (docs/operations.md). */
const LEAST_RATE_BYTES = 32 * KIB
/** For looking up, waiting for a place and starting again. */
const EXTRA_MS = 10 * MINUTE_MS
/** What one timer can wait is 24 days. */
const MAX_MS = 20 * DAY_MS
/** So long after its end an allowance is remembered: a peer that really comes again finds a new one. */
const FORGET_MS = DAY_MS
/** Peers and contents remembered; each is about 200 bytes. */
const MAX_ALLOWANCES = 10_000

const NOTHING_HELD = (): void => {}

export interface ServingHoldsModules {
  readonly store: Pick<ContentStore, 'hold'>
  readonly clock: Clock
}

export class ServingHolds {
  readonly #modules: ServingHoldsModules
  /** When the allowance of a peer and a content ends. */
  readonly #untilMs = new LruCache<string, number>({ maxEntries: MAX_ALLOWANCES })

  constructor(modules: ServingHoldsModules) {
    this.#modules = modules
  }

  /**
   * Holds a content until the allowance is over or the returned function is called. CONTENT_MISSING when it is just being let
   * go of.
   */
  take(peer: string, { content, sizeBytes }: Pick<Release, 'content' | 'sizeBytes'>): () => void {
    const { store, clock } = this.#modules
    const leftMs = this.#left(`${peer} ${content}`, sizeBytes)
    if (leftMs <= 0) return NOTHING_HELD
    const release = store.hold(content)
    const over = new AbortController()
    clock.wait(leftMs, over.signal).then(release, release)
    return () => over.abort()
  }

  #left(key: string, sizeBytes: number): number {
    const nowMs = this.#modules.clock.monotonicMs()
    let untilMs = this.#untilMs.get(key)
    if (untilMs === undefined || nowMs >= untilMs + FORGET_MS)
      untilMs = nowMs + Math.min(MAX_MS, EXTRA_MS + (sizeBytes / LEAST_RATE_BYTES) * SECOND_MS)
    this.#untilMs.set(key, untilMs)
    return untilMs - nowMs
  }
}
