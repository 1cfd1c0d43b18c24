import { toCatalogError } from '../../base/index.ts'
import { type SigningKey, sha256 } from '../../trust/index.ts'
import type { Disk } from './disk.ts'
import { Follows } from './follows.ts'
import { Gossip } from './gossip.ts'
import { Home } from './home.ts'
import { isHome, TEAM, TEAM_LIBRARY, teamIdOf } from './libraries.ts'
import type { Mischief } from './mischief.ts'
import type { Network, Station } from './network.ts'
import type { Random } from './random.ts'
import { hex, type SetRecord, type Verifier } from './records.ts'
import { Sessions } from './sessions.ts'
import type { End } from './stream.ts'
import type { Syncer } from './syncer.ts'
import type { Timeline } from './timeline.ts'
import { Touched } from './touched.ts'
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
  /** Nodes whose closed libraries it follows, by public key in hex: whether it may or not. */
  readonly sought = new Set<string>()
  readonly #touched = new Touched()
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

  /** Whether a library is its own, the home of a neighbour, or a closed one that it follows. */
  follows(library: Uint8Array, writer: Uint8Array): boolean {
    const key = hex(writer)
    if (this.writer === key) return true
    if (!isHome(library, writer)) return this.sought.has(key)
    return this.modules.neighbours().some(near => near.writer === key)
  }

  /** Wall time of the node. */
  now = (): number => this.modules.timeline.nowMs + this.options.skewMs

  async start(): Promise<void> {
    const lifetime = this.#beginLife()
    const { disk } = this
    disk.keep = (key, value) => this.modules.verifier.keep(key, value)
    this.#touched.clear()
    // Where all join one set there is nothing but that.
    if (this.options.mode === 'follow') disk.onRow = (key, before) => this.#touched.note(key, before)
    disk.wait = () => new Promise(resolve => lifetime.after(this.modules.random.below(MAX_DISK_MS), resolve))
    const home = await Home.open(
      { disk, verifier: this.modules.verifier, now: this.now },
      { key: this.options.key, place: this.place, random: bytes => this.modules.random.bytes(bytes) }
    )
    disk.onWritten = () => this.#written(home)
    const gossip = new Gossip(this, home, lifetime)
    const isFollowing = this.options.mode === 'follow'
    const syncer = isFollowing ? new Follows(this, home, lifetime) : new Sessions(this, home, lifetime)
    this.#life = { home, gossip, syncer }
    this.modules.watch.started(this)
    gossip.start()
    syncer.start()
  }

  /** A batch is on disk: what it has made of the promises of this node is looked at here and now. */
  #written(home: Home): void {
    const { watch, timeline } = this.modules
    try {
      for (const head of home.heads()) watch.heads.signed(this, head)
      watch.copies.written(this, this.#touched)
    } catch (violation) {
      // Whoever has written has no part in it.
      timeline.fail(violation)
    }
    this.#touched.clear()
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
    this.#life?.gossip.announce()
  }

  /** Makes its closed library, for some other nodes, which get to know of it. */
  async makeTeam(members: readonly SimulatedNode[]): Promise<void> {
    for (const member of members) member.sought.add(this.writer)
    const keys = members.map(({ options }) => options.key.publicKey)
    try {
      await this.#life?.home.sets.access.create({ name: TEAM, access: 'restricted', members: keys })
    } catch (thrown) {
      // It was being made already.
      if (toCatalogError(thrown).code !== 'LIBRARY_EXISTS') throw thrown
    }
    this.#life?.gossip.announce()
  }

  async changeTeam(other: SimulatedNode, kind: 'grant' | 'revoke'): Promise<void> {
    const { publicKey } = other.options.key
    if (kind === 'grant') other.sought.add(this.writer)
    const change =
      kind === 'grant' ? { joining: [publicKey], leaving: [] } : { joining: [], leaving: [publicKey] }
    await this.#life?.home.sets.access.changeMembers(TEAM, change)
    this.modules.watch.note(`node ${this.id} ${kind}s node ${other.id}`)
    this.#life?.gossip.announce()
  }

  async publishInTeam(record: SetRecord): Promise<void> {
    await this.#life?.home.publish(record, TEAM_LIBRARY)
    this.#life?.gossip.announce()
  }

  /** Asks another node for the closed library of a third one, or of nobody. */
  async ask(holder: SimulatedNode, writer: Uint8Array): Promise<void> {
    if (this.#life?.syncer instanceof Follows)
      await this.#life.syncer.ask(holder.id, teamIdOf(writer), writer)
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
