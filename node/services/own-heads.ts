import { type Clock, changedWithin, SECOND_MS, Signpost } from '../../base/index.ts'
import { decodeHead, type Head, isRenewalDue, type LibrarySets } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'

/** Peers that have answered, after which nobody else is waited for: as many as a node has near it soon after its start. */
const ENOUGH_ANSWERS = 8
/** From the first answer, or from when somebody would be told a head: connections come within seconds after a start, or much later. */
const WAIT_MS = 3 * SECOND_MS

export interface OwnHeadsModules {
  sets: Pick<LibrarySets, 'headOf' | 'access'>
  clock: Clock
}

export interface OwnHeadsOptions {
  /** Public key of this node. */
  own: Uint8Array
}

/**
 * Keeps heads that this node has signed since its start back from others for a moment, until peers have said which of its heads they know. A home
 * whose disk was put back as it was, in the same folder, cannot tell so by itself (sync/heads/own.ts): it goes on in an epoch of which others know
 * more, and what it signs there would show it to be a liar for good. Nobody has seen that when a peer shows a later head, and a new
 * epoch begins. What was signed before the start is no news, and a new epoch contradicts nothing: both are told at once.
 */
export class OwnHeads {
  readonly #modules: OwnHeadsModules
  readonly #own: Uint8Array
  readonly #startedMs: number
  readonly #answered = new Set<string>()
  readonly #changed = new Signpost()
  /** Monotonic. */
  #untilMs: number | undefined
  #isSettled = false

  constructor(modules: OwnHeadsModules, { own }: OwnHeadsOptions) {
    this.#modules = modules
    this.#own = own
    this.#startedMs = modules.clock.now()
  }

  /** A peer has said which heads it has of the libraries of this node, and they have been judged. */
  answered(peer: string): void {
    if (this.#isOver()) return
    this.#answered.add(peer)
    if (this.#answered.size >= ENOUGH_ANSWERS) this.#settle()
  }

  /** What others may be told to be the head of a library; as `LibrarySets.headOf`, and empty for one that is kept back. */
  async headOf(library: Uint8Array): Promise<Uint8Array | undefined> {
    const bytes = await this.#modules.sets.headOf(library)
    const head = this.#ownHead(bytes)
    return head !== undefined && this.#isNews(head) && !this.#isOver() ? new Uint8Array() : bytes
  }

  /** Resolves when a library may be shown to a node, by its public key: at once unless a head of it is kept back, or would be signed for that. */
  async untilTold(library: Uint8Array, node: Uint8Array, signal: AbortSignal): Promise<void> {
    const { sets, clock } = this.#modules
    if (this.#isSettled) return
    const head = this.#ownHead(await sets.headOf(library))
    if (head === undefined || !(this.#isNews(head) || this.#isDue(head))) return
    // Who may not know of it hears that it is not here, and when tells nothing else.
    if (!(await sets.access.admits(library, node))) return
    while (!this.#isOver()) {
      const leftMs = this.#untilMs! - clock.monotonicMs()
      await changedWithin(this.#changed.shown(), leftMs, { clock, signal })
    }
  }

  /** Undefined for that of a library of others, too. */
  #ownHead(bytes: Uint8Array | undefined): Head | undefined {
    if (this.#isSettled || bytes === undefined || bytes.byteLength === 0) return undefined
    const head = decodeHead(bytes)
    return bytesEqual(head.writer, this.#own) ? head : undefined
  }

  /** Whether a head was signed since the start, in an epoch from before it. */
  #isNews({ epoch, time }: Head): boolean {
    return epoch < this.#startedMs && time >= this.#startedMs
  }

  #isDue(head: Head): boolean {
    return head.epoch < this.#startedMs && isRenewalDue(head, this.#modules.clock.now())
  }

  /** Whether nobody is waited for any more; the wait begins when this is asked first. */
  #isOver(): boolean {
    const nowMs = this.#modules.clock.monotonicMs()
    this.#untilMs ??= nowMs + WAIT_MS
    if (nowMs >= this.#untilMs) this.#settle()
    return this.#isSettled
  }

  #settle(): void {
    this.#isSettled = true
    this.#answered.clear()
    this.#changed.show()
  }
}
