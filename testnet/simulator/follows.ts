import { backoffDelayMs, SECOND_MS, toCatalogError } from '../../base/index.ts'
import {
  awaitedFromMs,
  FAILED,
  type FollowRun,
  type FollowState,
  type HeadVerdict,
  nextTime,
  planFollows,
  staleTime,
  telling,
  tellingBeside
} from '../../sync/index.ts'
import { FollowSessions } from './follow-sessions.ts'
import type { SaidHead } from './heads.ts'
import type { Home } from './home.ts'
import { homeIdOf, teamIdOf } from './libraries.ts'
import type { Lifetime, SimulatedNode } from './node.ts'
import { hex } from './records.ts'
import type { End } from './stream.ts'
import type { Syncer } from './syncer.ts'

const INTERVAL_MS = 60 * SECOND_MS
/** A node looks at what is due at least so often: who can be reached changes without a word. */
const LOOK_MS = 10 * SECOND_MS
const MAX_FAILED = 8
/** Questions of a person at once, beside the sessions of the plan. */
export const MAX_ASKED = 2

/**
 * Copies of the homes of all neighbours, and of closed libraries that the node wants, kept exact: the product's plan says which is compared with whom and when, its sessions in
 * the worker what is said and believed. What is left for this class is what a node has around them: time, streams and counts.
 */
export class Follows implements Syncer {
  readonly isTold = 'by each'
  readonly #node: SimulatedNode
  readonly #home: Home
  readonly #lifetime: Lifetime
  readonly #sessions: FollowSessions
  /** By library, in hex. */
  readonly #states = new Map<string, FollowState>()
  readonly #writers = new Map<string, Uint8Array>()
  /** What there was when all of it was subscribed to: another list, and more of the closed ones, as soon as that changes. */
  #subscribed: { readonly near: readonly SimulatedNode[]; readonly sought: number } = { near: [], sought: 0 }
  #asked = 0
  #lookAtMs = Number.POSITIVE_INFINITY

  constructor(node: SimulatedNode, home: Home, lifetime: Lifetime) {
    this.#node = node
    this.#home = home
    this.#lifetime = lifetime
    this.#sessions = new FollowSessions(node, home, lifetime)
  }

  get open(): number {
    return this.#sessions.open
  }

  get wanted(): number {
    return this.#states.size
  }

  start(): void {
    this.#look()
  }

  heard(from: number, head: SaidHead, verdict: HeadVerdict | 'forgotten'): void {
    const library = hex(head.library)
    const state = this.#states.get(library)
    if (state === undefined) return
    const told = { heldBy: new Set([...state.heldBy, String(from)]) }
    const isNews = verdict !== 'contradiction' && this.#isNewer(head)
    const { timeline } = this.#node.modules
    // The plan goes by the time of the world, heads count by the clock of the node.
    const { skewMs } = this.#node.options
    const fromMs = isNews ? awaitedFromMs(head.time - skewMs, timeline.nowMs) : undefined
    const newerAt = fromMs === undefined ? state.newerAt : telling(state.newerAt, String(from), fromMs)
    this.#note(library, { ...told, newerAt })
    this.#look()
  }

  #isNewer({ library, epoch, revision }: SaidHead): boolean {
    const have = this.#home.copyOf(library)?.head
    if (have === undefined) return true
    return epoch === have.epoch ? revision > have.revision : epoch > have.epoch
  }

  #look(): void {
    const { timeline, network, neighbours, watch } = this.#node.modules
    if (this.#lifetime.isOver || watch.isStill) return
    this.#subscribe()
    const near = neighbours().filter(({ id }) => network.reaches(this.#node.id, id))
    const connected = new Set(near.map(({ id }) => String(id)))
    const { runs, nextMs } = planFollows([...this.#states.values()], {
      nowMs: timeline.nowMs,
      connected,
      busyUntilMs: new Map()
    })
    for (const run of runs) timeline.spawn(this.#follow(run))
    const atMs = Math.min(nextMs, timeline.nowMs + LOOK_MS)
    if (atMs >= this.#lookAtMs && this.#lookAtMs > timeline.nowMs) return
    this.#lookAtMs = atMs
    this.#lifetime.after(atMs - timeline.nowMs, () => {
      if (this.#lookAtMs === atMs) this.#lookAtMs = Number.POSITIVE_INFINITY
      this.#look()
    })
  }

  /** Neighbours come and go; each has a home, and perhaps a closed library that is wanted here. */
  #subscribe(): void {
    const near = this.#node.modules.neighbours()
    const { sought } = this.#node
    if (near === this.#subscribed.near && sought.size === this.#subscribed.sought) return
    this.#subscribed = { near, sought: sought.size }
    for (const { id, writer, options } of near) {
      if (writer === this.#node.writer) continue
      const { publicKey } = options.key
      this.#want(homeIdOf(publicKey), publicKey, id)
      if (sought.has(writer)) this.#want(teamIdOf(publicKey), publicKey, id)
    }
  }

  #want(id: Uint8Array, writer: Uint8Array, node: number): void {
    const library = hex(id)
    if (this.#states.has(library)) return
    const times = { dueMs: 0, notBeforeMs: 0, staleFromMs: 0 }
    this.#writers.set(library, writer)
    this.#states.set(library, {
      library,
      writer: String(node),
      runningWith: undefined,
      // A session that says nothing is over long before it would have to yield.
      yieldsFromMs: Number.POSITIVE_INFINITY,
      ...times,
      newerAt: new Map(),
      heldBy: new Set(),
      failedWith: []
    })
  }

  async #follow({ library, peer }: FollowRun): Promise<void> {
    const { timeline, random } = this.#node.modules
    const state = this.#states.get(library)!
    this.#note(library, { runningWith: peer, newerAt: tellingBeside(state.newerAt, peer, timeline.nowMs) })
    try {
      const outcome = await this.#sessions.begin(
        Number(peer),
        Buffer.from(library, 'hex'),
        this.#writers.get(library)!
      )
      const dueMs = nextTime(timeline.nowMs, INTERVAL_MS, random.next())
      const staleFromMs = staleTime(outcome.head.expires)
      if (outcome.state === 'behind') this.#failed(library, peer)
      else this.#note(library, { runningWith: undefined, dueMs, notBeforeMs: 0, staleFromMs, failedWith: [] })
      if (outcome.state === 'updated') this.#tell(library)
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code === 'INTERNAL' || error.code === 'TREE_DAMAGED') throw thrown
      this.#failed(library, peer)
    }
    this.#look()
  }

  #failed(library: string, peer: string): void {
    const { timeline, random } = this.#node.modules
    const failedWith = [...this.#states.get(library)!.failedWith, peer].slice(-MAX_FAILED)
    const policy = { ...FAILED, maxDelayMs: INTERVAL_MS }
    const againMs = timeline.nowMs + Math.ceil(backoffDelayMs(policy, failedWith.length, random.next()))
    this.#note(library, { runningWith: undefined, dueMs: againMs, notBeforeMs: againMs, failedWith })
  }

  /** What is here now may be had from here. */
  #tell(library: string): void {
    const head = this.#home.copyOf(Buffer.from(library, 'hex'))?.head
    if (head !== undefined) this.#node.life?.gossip.tell(head)
  }

  /** Asks a neighbour for a closed library once, whoever may know of it. */
  async ask(id: number, library: Uint8Array, writer: Uint8Array): Promise<void> {
    if (this.#asked >= MAX_ASKED) return
    this.#asked++
    try {
      await this.#sessions.begin(id, library, writer)
      this.#tell(hex(library))
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (code === 'INTERNAL' || code === 'TREE_DAMAGED') throw thrown
    } finally {
      this.#asked--
    }
  }

  answer(from: number, end: End): void {
    this.#sessions.answer(from, end)
  }

  #note(library: string, change: Partial<FollowState>): void {
    this.#states.set(library, { ...this.#states.get(library)!, ...change })
  }
}
