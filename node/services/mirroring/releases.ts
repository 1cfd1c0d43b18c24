/** The releases that this node could hold for others, as its planner sees them: all that are known here and are for everybody. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { type Clock, HOUR_MS } from '../../../base/index.ts'
import {
  type ContentStore,
  isFollowedLibrary,
  type Registry,
  type ReleaseRecord
} from '../../../library/index.ts'
import {
  type Candidate,
  type Have,
  type MirrorPlanner,
  PRIORITIES,
  type Priority
} from '../../../mirror/index.ts'
import type { Topology } from '../../../topology/index.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import type { Blocking } from '../blocking.ts'
import { type ReleaseMatcher, rankOf } from '../release-filter.ts'
import { allReleases } from '../verification.ts'
import type { Copies } from './copies.ts'
import type { DemandBook } from './types.ts'

/** Contents that are planned for; about 700 bytes each. */
export const MAX_RELEASES = 100_000
/** Records after which others have their turn: some milliseconds. */
const RECORDS_PER_TURN = 50
/** What a node that leaves has offered counts as offered for so long: until it has gone, and with it its copy, also where much is handed over. */
const OFFER_MS = 24 * HOUR_MS
/** Offers that are remembered. */
const MAX_OFFERED = 10_000
/** All members mirror what is for everybody. */
export const OPEN_POOL = 'all'

export interface MirrorReleasesModules {
  registry: Registry
  content: Pick<ContentStore, 'localState' | 'isPinned'>
  blocking: Pick<Blocking, 'isBlocked'>
  copies: Copies
  demand: Pick<DemandBook, 'demandOf'>
  topology: Pick<Topology, 'views'>
  planner: MirrorPlanner
  /** Peers that are known to hold a content. */
  holdersOf: (content: string) => readonly string[]
  clock: Clock
}

export interface MirrorReleasesOptions {
  /** Contents that are planned for; those that are held are so beyond it. */
  maxReleases: number
  /** What `mirror.accept = "listed"` means. */
  listed: readonly ReleaseMatcher[]
  /** What comes first, second and so on. */
  classes: readonly ReleaseMatcher[]
}

/** What is kept of the releases of one content: of several the one that is protected most. */
export interface KnownRelease {
  readonly record: CID
  readonly name: string
  readonly version: string
  readonly owner: Uint8Array
  readonly content: CID
  readonly bytes: number
  readonly isFollowed: boolean
  readonly isPublishedHere: boolean
  readonly isListed: boolean
  readonly isBlocked: boolean
  readonly priority: Priority
}

export class MirrorReleases {
  readonly #modules: MirrorReleasesModules
  readonly #options: MirrorReleasesOptions
  readonly #known = new Map<string, KnownRelease>()
  /** What going through all releases has found so far; undefined while that is not done. */
  #found: Map<string, KnownRelease> | undefined
  readonly #coming = new Set<string>()
  readonly #offeredMs = new Map<string, number>()
  #isFull = false

  constructor(modules: MirrorReleasesModules, options: MirrorReleasesOptions) {
    this.#modules = modules
    this.#options = options
  }

  of(content: string): KnownRelease | undefined {
    return this.#known.get(content)
  }

  get size(): number {
    return this.#known.size
  }

  /** Whether there are more than are planned for. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Goes through all that is known here; what is there no more is planned for no more. Gives others their turn. */
  async refresh(signal: AbortSignal): Promise<void> {
    const found = new Map<string, KnownRelease>()
    this.#found = found
    try {
      await this.#find(found, signal)
      await this.#replaceBy(found)
    } finally {
      this.#found = undefined
    }
  }

  async #find(found: Map<string, KnownRelease>, signal: AbortSignal): Promise<void> {
    const { registry } = this.#modules
    this.#isFull = false
    let read = 0
    for await (const record of allReleases(registry, signal)) {
      if (!registry.isClosed(record)) {
        if (this.#hasPlace(record, found)) await this.#add(record, found)
        else this.#isFull = true
      }
      if (++read % RECORDS_PER_TURN === 0) {
        await nextTurn()
        signal.throwIfAborted()
      }
    }
  }

  async #replaceBy(found: ReadonlyMap<string, KnownRelease>): Promise<void> {
    const { planner } = this.#modules
    for (const key of this.#known.keys())
      if (!found.has(key)) {
        this.#known.delete(key)
        planner.removeRelease(key)
      }
    let told = 0
    for (const [key, release] of found) {
      this.#known.set(key, release)
      this.update(key)
      if (++told % RECORDS_PER_TURN === 0) await nextTurn()
    }
  }

  /** One release has come to be known here, or another one of its content; whether it is planned for. */
  async learn(record: ReleaseRecord): Promise<boolean> {
    if (this.#modules.registry.isClosed(record) || !this.#hasPlace(record, this.#known)) return false
    await this.#add(record, this.#known)
    // All may just be gone through, and where this one is have been already.
    if (this.#found !== undefined) await this.#add(record, this.#found)
    this.update(record.release.content.toString())
    return true
  }

  /** How one would be planned for that a peer has brought, before it is kept here; undefined where there is no place for it. */
  async judge(record: ReleaseRecord): Promise<Candidate | undefined> {
    if (this.#modules.registry.isClosed(record) || !this.#hasPlace(record, this.#known)) return undefined
    return this.#candidateOf(merge(this.of(record.release.content.toString()), await this.#read(record)))
  }

  /** Whether a release of a content is known that is not blocked. One is enough to hold it: each more that a peer brings only fills this disk. */
  isNamed(content: string): boolean {
    return this.of(content)?.isBlocked === false
  }

  /** What is held always has one: else the last copy of it could go for want of a place here. */
  #hasPlace({ release }: ReleaseRecord, releases: ReadonlyMap<string, KnownRelease>): boolean {
    const key = release.content.toString()
    return (
      releases.has(key) ||
      releases.size < this.#options.maxReleases ||
      this.#modules.copies.of(key) !== undefined
    )
  }

  async #add(record: ReleaseRecord, releases: Map<string, KnownRelease>): Promise<void> {
    const read = await this.#read(record)
    const key = record.release.content.toString()
    releases.set(key, merge(releases.get(key), read))
  }

  /** A node that leaves asks this one to take it over. */
  offered(content: string): void {
    if (this.#offeredMs.size >= MAX_OFFERED) this.#offeredMs.delete(this.#offeredMs.keys().next().value!)
    this.#offeredMs.set(content, this.#modules.clock.now())
    this.update(content)
  }

  /** It is being fetched to be held for others, or not any more. */
  setComing(content: string, isComing: boolean): void {
    if (isComing) this.#coming.add(content)
    else this.#coming.delete(content)
    this.update(content)
  }

  get coming(): readonly string[] {
    return [...this.#coming]
  }

  /** Tells the planner what holds now of a content, if it is known. */
  update(content: string): void {
    const candidate = this.candidate(content)
    if (candidate !== undefined) this.#modules.planner.setRelease(candidate, this.#modules.clock.now())
  }

  candidate(content: string): Candidate | undefined {
    const release = this.#known.get(content)
    return release === undefined ? undefined : this.#candidateOf(release)
  }

  #candidateOf(release: KnownRelease): Candidate {
    const { demand, copies, clock } = this.#modules
    const { name, version, owner, isFollowed, isListed, isBlocked, priority, bytes } = release
    const content = release.content.toString()
    return {
      ...{ name, version, isFollowed, isListed, isBlocked, priority, bytes },
      owner: formatPublicKey(owner),
      content: release.content,
      pool: OPEN_POOL,
      have: this.#haveOf(release),
      isReader: true,
      isPinned: copies.of(content)?.isPinned ?? false,
      isOffered: clock.now() - (this.#offeredMs.get(content) ?? Number.NEGATIVE_INFINITY) < OFFER_MS,
      demand: demand.demandOf(content),
      availability: this.#availabilityOf(content)
    }
  }

  /** Whether it is here for good, for others or as this node's own. */
  holds(content: string): boolean {
    const release = this.#known.get(content)
    if (release === undefined || release.isBlocked) return false
    const have = this.#haveOf(release)
    return have === 'mirror' || have === 'own'
  }

  /** All that is here for good, by content. */
  held(): Map<string, CID> {
    const held = new Map<string, CID>()
    for (const [key, { content }] of this.#known) if (this.holds(key)) held.set(key, content)
    return held
  }

  #haveOf(release: KnownRelease): Have {
    const { content, copies } = this.#modules
    const key = release.content.toString()
    if (this.#coming.has(key)) return 'coming'
    if (content.localState(release.content) !== 'complete') return 'nothing'
    if (release.isPublishedHere || content.isPinned(release)) return 'own'
    return copies.of(key)?.taken === undefined ? 'cache' : 'mirror'
  }

  /** Of those that hold it, as far as they were met. */
  #availabilityOf(content: string): number {
    const shares = this.#modules.topology.views(this.#modules.holdersOf(content)).map(({ uptime }) => uptime)
    return shares.length === 0 ? 1 : shares.reduce((sum, share) => sum + share, 0) / shares.length
  }

  async #read(record: ReleaseRecord): Promise<KnownRelease> {
    const { registry, blocking } = this.#modules
    const { listed, classes } = this.#options
    const { release, id } = record
    const libraries = await registry.librariesOf(record.bytes)
    return {
      record: id,
      name: release.name,
      version: release.version,
      owner: release.owner,
      content: release.content,
      bytes: release.sizeBytes,
      isFollowed: libraries.some(isFollowedLibrary),
      isPublishedHere: libraries.some(library => !isFollowedLibrary(library)),
      isListed: listed.some(isMeant => isMeant(release)),
      isBlocked: blocking.isBlocked(record),
      priority: priorityOf(rankOf(release, classes), classes.length)
    }
  }
}

/** The first class is critical, the second high, the others normal; what is of none is low. With no classes everything is normal. */
function priorityOf(rank: number, classes: number): Priority {
  if (classes === 0) return 'normal'
  if (rank === classes) return 'low'
  return PRIORITIES[Math.max(1, PRIORITIES.length - 1 - rank)]!
}

/** Several releases with one content are one: the one that is protected most. It is blocked when all of them are. */
export function merge(known: KnownRelease | undefined, other: KnownRelease): KnownRelease {
  if (known === undefined) return other
  const first = known.isBlocked && !other.isBlocked ? other : known
  const isHigher = PRIORITIES.indexOf(other.priority) > PRIORITIES.indexOf(known.priority)
  return {
    ...first,
    isFollowed: known.isFollowed || other.isFollowed,
    isPublishedHere: known.isPublishedHere || other.isPublishedHere,
    isListed: known.isListed || other.isListed,
    isBlocked: known.isBlocked && other.isBlocked,
    priority: isHigher ? other.priority : known.priority
  }
}
