import { HOUR_MS, SECOND_MS } from '../../../base/index.ts'
import type { CidText, MirrorPlanner } from '../../../mirror/index.ts'
import type { MirrorNode } from './node.ts'
import type { MirrorWorld } from './world.ts'

/** A look-up of holders takes so long, and a challenge. */
const LOOK_UP_MS = 2 * SECOND_MS
const CHALLENGE_MS = SECOND_MS
/** Who fails a challenge is not asked again for so long. */
const DOUBT_MS = 6 * HOUR_MS

/** What a node comes to know of the others in one life: who is there, who says that it holds what, and who can prove it. */
export class Senses {
  readonly #world: MirrorWorld
  readonly #node: MirrorNode
  readonly #planner: MirrorPlanner
  readonly #after: (delayMs: number, run: () => void) => void
  readonly #seen = new Map<string, boolean>()
  /** Who could not prove something, and until when it is asked for nothing. */
  readonly #doubtedMs = new Map<string, number>()

  constructor(
    world: MirrorWorld,
    node: MirrorNode,
    planner: MirrorPlanner,
    after: (delayMs: number, run: () => void) => void
  ) {
    this.#world = world
    this.#node = node
    this.#planner = planner
    this.#after = after
  }

  /** Notices whether another one can be reached. */
  notice(other: MirrorNode): void {
    const isThere = this.#world.reaches(this.#node, other)
    if (other === this.#node || this.#seen.get(other.peer) === isThere) return
    this.#seen.set(other.peer, isThere)
    const { nowMs } = this.#world.timeline
    const { network } = other.options
    this.#planner.setPeer(
      other.peer,
      isThere ? { network, presentSinceMs: nowMs } : { network, presentSinceMs: nowMs, awaySinceMs: nowMs }
    )
    if (this.#planner.hasChanged) this.#node.planSoon()
  }

  /** Hears that another one says that it holds a content, or does not any more. */
  hear(other: MirrorNode, content: CidText): void {
    if (other === this.#node || !this.#world.reaches(this.#node, other)) return
    this.notice(other)
    const { nowMs } = this.#world.timeline
    if (!other.claims(content)) this.#planner.refute(content, other.peer, nowMs)
    else if (this.#planner.claim(content, other.peer, nowMs)) this.challengeSoon(other, content)
    if (this.#planner.hasChanged) this.#node.planSoon()
  }

  /** Asks who holds some contents, and has them prove it. */
  lookUp(contents: readonly CidText[]): void {
    this.#after(LOOK_UP_MS, () => this.#lookUp(contents))
  }

  challengeSoon(other: MirrorNode, content: CidText): void {
    this.#after(CHALLENGE_MS, () => this.#challenge(other, content))
  }

  #lookUp(contents: readonly CidText[]): void {
    const { nowMs } = this.#world.timeline
    for (const content of contents) {
      for (const other of this.#world.claimantsOf(content)) {
        if (other === this.#node) continue
        this.notice(other)
        if (this.#world.reaches(this.#node, other) && this.#planner.claim(content, other.peer, nowMs))
          this.#challenge(other, content)
      }
      this.#planner.setKnown(content, nowMs)
    }
    this.#node.planSoon()
  }

  #challenge(other: MirrorNode, content: CidText): void {
    const { timeline, watch } = this.#world
    if (!this.#world.reaches(this.#node, other)) return
    if (timeline.nowMs < (this.#doubtedMs.get(other.peer) ?? 0)) return
    const isPassed = other.disk.has(content)
    watch.challenged(isPassed)
    if (other.summary !== undefined) this.#world.hand(other, other.summary, this.#node)
    if (isPassed) {
      // A holder tells its own record with its proof.
      this.#node.hearRecord(other.record!)
      this.#planner.prove(content, other.peer, timeline.nowMs)
    } else {
      this.#planner.refute(content, other.peer, timeline.nowMs)
      if (other.claims(content)) this.#doubtedMs.set(other.peer, timeline.nowMs + DOUBT_MS)
    }
    if (this.#planner.hasChanged) this.#node.planSoon()
  }

  /** Has all known holders prove themselves anew. */
  proveAll(): void {
    for (const { key } of this.#world.releases)
      for (const other of this.#world.holdersOf(key))
        if (other !== this.#node) this.#challengeKnown(other, key)
  }

  #challengeKnown(other: MirrorNode, content: CidText): void {
    const { nowMs } = this.#world.timeline
    if (this.#world.reaches(this.#node, other) && this.#planner.claim(content, other.peer, nowMs))
      this.#challenge(other, content)
  }
}
