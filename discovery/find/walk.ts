import { type CatalogError, type Clock, SECOND_MS, toCatalogError } from '../../base/index.ts'
import { compareDistance } from '../distance.ts'
import type { DiscoveryNetwork, FindReply } from '../network.ts'
import type { PeerBook } from '../peers/book.ts'
import type { Contact } from '../peers/contact.ts'

/**
 * A walk towards a key: ask the peers known to be nearest, who name nearer ones, until the nearest have answered.
 *
 * What makes it quick with many peers dead is what it does about silence. A peer that has not answered for SLOW_MS gives its
 * place to the next one but may still answer; after a while it is given up. So a dead peer costs the walk a little of
 * its parallelism, never a stop. "Not found" is said when the ENOUGH nearest peers that are alive have answered: announcers
 * place a key with its 20 nearest, so a third of those may be gone and another third wrong before a key is missed.
 *
 * Peers with an open connection are asked first; others, which need a dial, a little later unless none is left.
 */
/** Questions in flight at first, slow ones not counted (Kademlia's alpha): the nearest peers mostly know. */
const PARALLEL = 4
/** And once one of them knew nothing or was silent: the key may be missing, and only many answers can tell. */
const PARALLEL_WIDE = 8
/** Nearest living peers that have to answer before a key counts as missing. */
export const ENOUGH = 10
/** Questions of one walk in all, whatever peers name: the bound on what a lie can cost. */
const MAX_ASKED = 60
/** Peers a walk remembers; the farthest are dropped. */
const MAX_CANDIDATES = 200
/** An answer over an open connection comes within a round trip: later than this, another peer is asked as well. */
const SLOW_MS = 100
/** Dialling takes three round trips more. */
const DIAL_HEAD_START_MS = 50
const DIAL_EXTRA_MS = 250
/** A silent peer is given up after this once others have answered, or after twice their slowest answer. */
const GIVE_UP_MS = 350
const SLOWEST_FACTOR = 2
/** While nobody at all has answered the network itself may be slow: then all wait this long. */
const GIVE_UP_ALONE_MS = 3 * SECOND_MS
/** How often silence is looked at. */
const TICK_MS = 20

type State = 'known' | 'asked' | 'slow' | 'answered' | 'failed'

interface Candidate {
  readonly contact: Contact
  state: State
  startedMs: number
  abort: AbortController | undefined
}

/** What became of one question, for `why`. */
export interface Asked {
  readonly peer: string
  readonly outcome: 'providers' | 'nothing' | CatalogError['code'] | 'given up'
  readonly tookMs: number
  readonly providers: number
}

export interface WalkModules {
  readonly network: DiscoveryNetwork
  readonly book: PeerBook
  readonly clock: Clock
}

export interface WalkOptions {
  readonly key: Uint8Array
  readonly target: Uint8Array
  /** Whether new questions may be asked now; when it becomes true again `poke` must be called. */
  mayAsk(): boolean
  /** An answer with providers. */
  onProviders(reply: FindReply, peer: Contact): void
  onAsked(asked: Asked): void
}

export class Walk {
  readonly #modules: WalkModules
  readonly #options: WalkOptions
  readonly #candidates = new Map<string, Candidate>()
  readonly #selfId: string
  #asked = 0
  #answered = 0
  #slowestMs = 0
  #startedMs = 0
  #wake: (() => void) | undefined

  constructor(modules: WalkModules, options: WalkOptions) {
    this.#modules = modules
    this.#options = options
    this.#selfId = modules.network.self.toString()
  }

  /** Peers that answered. */
  get answered(): number {
    return this.#answered
  }

  /** Peers that were asked. */
  get asked(): number {
    return this.#asked
  }

  /** Has another look: the answer of `mayAsk` has changed. */
  poke(): void {
    this.#wake?.()
  }

  /** Walks until the nearest living peers have answered; ends at once when `signal` aborts, without an error. */
  async run(signal: AbortSignal): Promise<void> {
    const { book, clock } = this.#modules
    this.#startedMs = clock.monotonicMs()
    for (const contact of book.closest(this.#options.target, MAX_CANDIDATES)) this.#add(contact)
    try {
      while (!signal.aborted) {
        this.#noticeSilence()
        this.#askNext()
        if (this.#isFinished()) return
        await this.#somethingHappens(signal)
      }
    } finally {
      for (const { abort } of this.#candidates.values()) abort?.abort()
    }
  }

  #add(contact: Contact): void {
    if (contact.id === this.#selfId || this.#candidates.has(contact.id)) return
    this.#candidates.set(contact.id, { contact, state: 'known', startedMs: 0, abort: undefined })
    if (this.#candidates.size <= MAX_CANDIDATES) return
    const farthest = this.#sorted().findLast(({ state }) => state === 'known')
    if (farthest !== undefined) this.#candidates.delete(farthest.contact.id)
  }

  #sorted(): Candidate[] {
    return [...this.#candidates.values()].sort((a, b) =>
      compareDistance(this.#options.target, a.contact.kademliaId, b.contact.kademliaId)
    )
  }

  /** The candidates that still matter, nearest first: up to the ENOUGH-th that answered. Failed ones are left out. */
  #relevant(): Candidate[] {
    const alive = this.#sorted().filter(({ state }) => state !== 'failed')
    let answers = 0
    const end = alive.findIndex(({ state }) => state === 'answered' && ++answers === ENOUGH)
    return end === -1 ? alive : alive.slice(0, end)
  }

  #isFinished(): boolean {
    const open = this.#relevant().filter(({ state }) => state !== 'answered')
    if (this.#asked >= MAX_ASKED) return open.every(({ state }) => state === 'known')
    return open.length === 0
  }

  #askNext(): void {
    if (!this.#options.mayAsk()) return
    const { book, clock } = this.#modules
    const relevant = this.#relevant()
    const known = relevant.filter(({ state }) => state === 'known')
    const connected = known.filter(({ contact }) => book.isConnected(contact.id))
    const early = clock.monotonicMs() - this.#startedMs < DIAL_HEAD_START_MS
    const eligible = early && connected.length > 0 ? connected : known
    let inFlight = relevant.filter(({ state }) => state === 'asked').length
    const isWide = [...this.#candidates.values()].some(({ state }) => state !== 'known' && state !== 'asked')
    for (const candidate of eligible) {
      if (inFlight >= (isWide ? PARALLEL_WIDE : PARALLEL) || this.#asked >= MAX_ASKED) return
      inFlight++
      void this.#ask(candidate)
    }
  }

  /** Asks one peer. Never rejects: what goes wrong is that peer's outcome. */
  async #ask(candidate: Candidate): Promise<void> {
    const { network, book, clock } = this.#modules
    const { contact } = candidate
    const abort = new AbortController()
    Object.assign(candidate, { state: 'asked', startedMs: clock.monotonicMs(), abort })
    this.#asked++
    try {
      const reply = await network.find(contact, this.#options.key, abort.signal)
      if (candidate.state === 'failed') return
      candidate.state = 'answered'
      this.#answered++
      this.#slowestMs = Math.max(this.#slowestMs, clock.monotonicMs() - candidate.startedMs)
      book.answered(contact)
      for (const closer of reply.closer) if (!book.isPaused(closer.id)) this.#add(closer)
      this.#report(candidate, reply.providers.length > 0 ? 'providers' : 'nothing', reply.providers.length)
      if (reply.providers.length > 0) this.#options.onProviders(reply, contact)
    } catch (error) {
      if (candidate.state === 'failed') return
      candidate.state = 'failed'
      if (!abort.signal.aborted) {
        book.failed(contact)
        this.#report(candidate, toCatalogError(error).code, 0)
      }
    } finally {
      candidate.abort = undefined
      this.#wake?.()
    }
  }

  #noticeSilence(): void {
    const { book, clock } = this.#modules
    const nowMs = clock.monotonicMs()
    for (const candidate of this.#candidates.values()) {
      if (candidate.state !== 'asked' && candidate.state !== 'slow') continue
      const extraMs = book.isConnected(candidate.contact.id) ? 0 : DIAL_EXTRA_MS
      const silentMs = nowMs - candidate.startedMs - extraMs
      if (silentMs >= SLOW_MS) candidate.state = 'slow'
      if (silentMs < this.#patienceMs()) continue
      candidate.state = 'failed'
      book.failed(candidate.contact)
      this.#report(candidate, 'given up', 0)
      candidate.abort?.abort(new Error('no answer in time'))
    }
  }

  #patienceMs(): number {
    if (this.#answered === 0) return GIVE_UP_ALONE_MS
    return Math.max(GIVE_UP_MS, SLOWEST_FACTOR * this.#slowestMs)
  }

  #report(candidate: Candidate, outcome: Asked['outcome'], providers: number): void {
    const tookMs = Math.round(this.#modules.clock.monotonicMs() - candidate.startedMs)
    this.#options.onAsked({ peer: candidate.contact.id, outcome, tookMs, providers })
  }

  /** Waits for an answer, a poke, the end, or the next tick while somebody's silence or the head start is measured. */
  async #somethingHappens(signal: AbortSignal): Promise<void> {
    const isTimed =
      this.#options.mayAsk() || [...this.#candidates.values()].some(({ abort }) => abort !== undefined)
    const tick = new AbortController()
    const happened = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    const onAbort = (): void => this.#wake?.()
    signal.addEventListener('abort', onAbort, { once: true })
    // The wait is aborted when something else happens first; then its rejection says nothing.
    const ticked = isTimed ? this.#modules.clock.wait(TICK_MS, tick.signal).catch(() => undefined) : happened
    await Promise.race([happened, ticked])
    tick.abort()
    signal.removeEventListener('abort', onAbort)
    this.#wake = undefined
  }
}
