import { type SigningKey, sha256 } from '../../trust/index.ts'
import type { Disk } from './disk.ts'
import { Follows } from './follows.ts'
import { Gossip } from './gossip.ts'
import { Home } from './home.ts'
import type { Mischief } from './mischief.ts'
import type { Network, Station } from './network.ts'
import type { Random } from './random.ts'
import { hex, type SetRecord, type Verifier } from './records.ts'
import { Sessions } from './sessions.ts'
import type { End } from './stream.ts'
import type { Syncer } from './syncer.ts'
import type { Timeline } from './timeline.ts'
import type { Watch } from './watch.ts'

export interface NodeModules {
  timeline: Timeline
  network: Network
  verifier: Verifier
  random: Random
  watch: Watch
  /** The other nodes that this one has connections with, and whose libraries it follows. */
  neighbours: () => readonly SimulatedNode[]
}

export interface NodeOptions {
  readonly id: number
  readonly mode: Mode
  readonly key: SigningKey
  readonly place: string
  /** How far the clock of the node is ahead. */
  readonly skewMs: number
  readonly mischief?: Mischief
}

/** `join`: all nodes keep one set together. `follow`: each has a library of its own, and exact copies of its neighbours'. */
export const MODES = ['join', 'follow'] as const
export type Mode = (typeof MODES)[number]

/** How long a batch takes to get to disk, at most. */
const MAX_DISK_MS = 8

/** The time from one start of a node to its end. */
export interface Lifetime {
  readonly isOver: boolean
  /** Runs something later, unless it is over by then. */
  after(delayMs: number, run: () => void): void
}

/** What exists while a node runs, and is gone when it does not. */
interface Life {
  readonly home: Home
  readonly gossip: Gossip
  readonly syncer: Syncer
}

/**
 * A simulated node: a disk that outlives it, and, while it runs, a library, gossip of heads and sessions. Stopping it is always a
 * crash: whatever it was doing ends where it stands.
 */
export class SimulatedNode implements Station {
  readonly modules: NodeModules
  readonly options: NodeOptions
  readonly peerId: Uint8Array
  /** Public key of the node, in hex. */
  readonly writer: string
  disk: Disk
  place: string
  #life: Life | undefined
  #lives = 0

  constructor(modules: NodeModules, options: NodeOptions, disk: Disk) {
    this.modules = modules
    this.options = options
    this.disk = disk
    this.place = options.place
    this.writer = hex(options.key.publicKey)
    this.peerId = sha256(options.key.publicKey)
  }

  get id(): number {
    return this.options.id
  }

  get isHonest(): boolean {
    return this.options.mischief === undefined
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get life(): Life | undefined {
    return this.#life
  }

  /** Whether the library of a writer, in hex, is its own, or that of a neighbour. */
  follows(writer: string): boolean {
    return this.writer === writer || this.modules.neighbours().some(near => near.writer === writer)
  }

  /** Wall time of the node. */
  now = (): number => this.modules.timeline.nowMs + this.options.skewMs

  async start(): Promise<void> {
    const lifetime = this.#beginLife()
    const { disk } = this
    disk.wait = () => new Promise(resolve => lifetime.after(this.modules.random.below(MAX_DISK_MS), resolve))
    const home = await Home.open(
      { disk, verifier: this.modules.verifier, now: this.now },
      { key: this.options.key, place: this.place, random: bytes => this.modules.random.bytes(bytes) }
    )
    disk.onWritten = () => {
      const head = home.head()
      if (head !== undefined) this.modules.watch.signed(this, head)
    }
    const gossip = new Gossip(this, home, lifetime)
    const isFollowing = this.options.mode === 'follow'
    const syncer = isFollowing ? new Follows(this, home, lifetime) : new Sessions(this, home, lifetime)
    this.#life = { home, gossip, syncer }
    this.modules.watch.started(this)
    gossip.start()
    syncer.start()
  }

  #beginLife(): Lifetime {
    const number = ++this.#lives
    const isOver = (): boolean => number !== this.#lives
    return {
      get isOver() {
        return isOver()
      },
      after: (delayMs, run) =>
        this.modules.timeline.after(delayMs, () => {
          if (!isOver()) run()
        })
    }
  }

  crash(): void {
    if (this.#life === undefined) return
    this.#life = undefined
    this.#lives++
    this.modules.network.drop(this.id)
    this.disk.crash()
  }

  /** Publishes records as one commit: when it resolves they are promised to last. */
  async publish(records: readonly SetRecord[]): Promise<void> {
    if (this.#life === undefined) return
    const { home } = this.#life
    if (this.options.mode === 'join') return this.changed(await home.take(records))
    for (const record of records) this.changed(await home.publish(record))
  }

  /** Takes a release out of its library, with all that is said of it. */
  async remove(release: SetRecord): Promise<void> {
    if (this.#life === undefined) return
    this.modules.watch.removes(this)
    await this.#life.home.remove(release)
    this.modules.watch.removed(this)
    this.modules.watch.erased(this)
    this.#life?.gossip.announce()
  }

  /** The set has changed, and with it the head. */
  changed(records: readonly SetRecord[]): void {
    this.modules.watch.committed(this, records)
    this.#life?.gossip.announce()
  }

  onMessage(from: number, bytes: Uint8Array): void {
    this.#life?.gossip.receive(from, bytes)
  }

  onStream(from: number, end: End): void {
    if (this.#life === undefined) end.cut()
    else this.#life.syncer.answer(from, end)
  }
}
