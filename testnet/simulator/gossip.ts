import { LruCache, SECOND_MS, toCatalogError } from '../../base/index.ts'
import { nameOfBytes, type SaidHead, sayingOf } from './heads.ts'
import type { Home } from './home.ts'
import { isHome } from './libraries.ts'
import type { Lifetime, SimulatedNode } from './node.ts'
import { hex } from './records.ts'

/** Least time between two heads of one library that a node passes on. */
const PACE_MS = 2 * SECOND_MS
/** Heads that wait to be looked at; more are dropped, the next will do. */
const MAX_WAITING_HEADS = 64
/** Heads that a node remembers to have seen. */
const MAX_SEEN_HEADS = 512
/** A node tells its neighbours its head again, should they have missed it. */
const REPEAT_MS = 60 * SECOND_MS

/** The heads that a node hears of and tells others: a library at a time, verified before they are passed on. */
export class Gossip {
  readonly #node: SimulatedNode
  readonly #home: Home
  readonly #lifetime: Lifetime
  readonly #waiting: Array<{ from: number; bytes: Uint8Array }> = []
  readonly #seen = new LruCache<string, true>({ maxEntries: MAX_SEEN_HEADS })
  /** By library: the newest head that is to be told once the pace allows it. */
  readonly #toTell = new Map<string, SaidHead>()
  #isReading = false

  constructor(node: SimulatedNode, home: Home, lifetime: Lifetime) {
    this.#node = node
    this.#home = home
    this.#lifetime = lifetime
  }

  get waiting(): number {
    return this.#waiting.length
  }

  start(): void {
    this.announce()
    this.#lifetime.after(this.#node.modules.random.between(1, REPEAT_MS), () => this.#repeat())
    this.#node.options.mischief?.gossip(this.#node, this.#lifetime)
  }

  /** Tells the neighbours the own heads, now or as soon as the pace allows it. */
  announce(): void {
    for (const head of this.#home.heads()) this.tell(head)
  }

  receive(from: number, bytes: Uint8Array): void {
    if (this.#waiting.length >= MAX_WAITING_HEADS) return
    const key = `${this.#node.life?.syncer.isTold === 'by each' ? from : ''} ${nameOfBytes(bytes)}`
    if (this.#seen.get(key) === true) return
    this.#seen.set(key, true)
    this.#waiting.push({ from, bytes })
    if (!this.#isReading) this.#node.modules.timeline.spawn(this.#readAll())
  }

  async #readAll(): Promise<void> {
    this.#isReading = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await this.#read(next.from, next.bytes)
    this.#isReading = false
  }

  async #read(from: number, bytes: Uint8Array): Promise<void> {
    const { watch } = this.#node.modules
    const said = sayingOf(bytes)
    // Of libraries that are not followed here nothing is kept, whoever has signed it.
    if (said === undefined) return
    if (!isHome(said.library, said.writer)) watch.secrets.told(this.#node, from, said)
    if (!this.#node.follows(said.library, said.writer)) return
    try {
      const verdict = await this.#home.takeHead(bytes)
      watch.heads.heard(this.#node, said, verdict)
      if (verdict === 'forgotten') this.announce()
      this.#node.life?.syncer.heard(from, said, verdict)
      if (verdict === 'older' || verdict === 'contradiction') this.#remind(from, said)
      // Its time will come, and it may then be shown again.
      if (verdict === 'early') this.#seen.clear()
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code === 'INTERNAL') throw thrown
      watch.refusedHead(this.#node, from, error)
    }
  }

  /**
   * Who shows an old head, or another one, gets the one that is known: it may be its writer, which has forgotten it. Of a closed library that is the head of
   * the copy, whose access list says who may have it: of a newer one nobody knows here whom it is for.
   */
  #remind(from: number, { library, writer }: SaidHead): void {
    const isOfCopy = !isHome(library, writer) && hex(writer) !== this.#node.writer
    const copied = isOfCopy ? this.#home.copyOf(library)?.head.bytes : undefined
    const head = isOfCopy ? copied && sayingOf(copied) : this.#home.headOf(library, writer)
    const near = this.#node.modules.neighbours().find(({ id }) => id === from)
    if (head !== undefined && near !== undefined) this.#send(near, head)
  }

  /** Tells a neighbour a head, unless it is of a library that it may not know of. */
  #send(near: SimulatedNode, head: SaidHead): void {
    const { network, timeline } = this.#node.modules
    const isPublic = isHome(head.library, head.writer)
    const send = (isAdmitted: boolean): void => {
      if (isAdmitted) network.send(this.#node.id, near.id, head.bytes)
    }
    if (isPublic) send(true)
    else timeline.spawn(this.#home.sets.access.admits(head.library, near.options.key.publicKey).then(send))
  }

  /** Tells the neighbours that follow its library a head, now or as soon as the pace allows it. */
  tell(head: SaidHead): void {
    const library = hex(head.library)
    const isPaced = this.#toTell.has(library)
    this.#toTell.set(library, head)
    if (!isPaced) this.#tellNow(library)
  }

  #tellNow(library: string): void {
    const head = this.#toTell.get(library)!
    const isPublic = isHome(head.library, head.writer)
    // Who does not follow a closed library is told as well, if it may be: the more there is to go wrong.
    for (const near of this.#node.modules.neighbours())
      if (!isPublic || near.follows(head.library, head.writer)) this.#send(near, head)
    this.#lifetime.after(PACE_MS, () => {
      if (this.#toTell.get(library) === head) this.#toTell.delete(library)
      else this.#tellNow(library)
    })
  }

  #repeat(): void {
    // What is told again after a while is looked at again: more may be known by now, and its teller less.
    this.#seen.clear()
    const { timeline, random, neighbours } = this.#node.modules
    timeline.spawn(this.#home.renewIfDue())
    const near = neighbours()
    if (near.length > 0) for (const head of this.#home.heads()) this.#send(random.pick(near), head)
    this.#lifetime.after(REPEAT_MS, () => this.#repeat())
  }
}
