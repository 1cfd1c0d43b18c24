/**
 * Sources of a release that is known from closed libraries only. Strangers are neither asked for it nor told of it: no name and no id of it
 * leaves this node but to those whom an access list admits. Those who are connected are asked as they are; then those who say under a key
 * that only members know that they have the library; then its writer and some members are dialled. Whether one of them has the
 * content, its content server says when it is asked for it, by the id of the record.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { CatalogError, type Clock, type Logger, SECOND_MS } from '../../base/index.ts'
import { type AccessList, isAdmitted, type Registry, type ReleaseRecord } from '../../library/index.ts'
import type { LibraryAccess } from '../../sync/index.ts'
import { type Candidates, type Circle, candidatesOf } from './closed-candidates.ts'
import { dialEach, searchHolders } from './library-holders.ts'
import { keyOfList } from './library-keys.ts'
import type { ReleaseHolder } from './lookup.ts'
import type { Network } from './network.ts'
import { nodeKeyOf, peerOf } from './writer-key.ts'

/** Libraries under whose keys is looked for one release; few releases are in more than one. */
const MAX_KEYS = 4
/** How often a fetch that goes on looks who has come, and how often it searches anew. */
const LOOK_MS = 2 * SECOND_MS
const SEARCH_EVERY_MS = 30 * SECOND_MS
/** Sources that join one fetch. */
const MAX_LATE = 32

export interface ClosedSourcesModules {
  network: Pick<Network, 'connected' | 'libraryHolders' | 'dial'>
  registry: Pick<Registry, 'librariesOf'>
  access: Pick<LibraryAccess, 'accessOf' | 'admitsTo'>
  clock: Clock
  logger: Logger
  /** Uniform in [0, 1). */
  random?: () => number
}

export interface ClosedSourcesOptions {
  /** Peer id of this node. */
  self: string
}

export class ClosedSources {
  readonly #modules: ClosedSourcesModules
  readonly #self: string

  constructor(modules: ClosedSourcesModules, { self }: ClosedSourcesOptions) {
    this.#modules = modules
    this.#self = self
  }

  /** Who may have a release, best first; `isThorough`: those who are not connected too, whoever is. NO_PROVIDERS when nobody can be reached. */
  async find(record: ReleaseRecord, isThorough: boolean, signal: AbortSignal): Promise<ReleaseHolder[]> {
    const lists = await this.#listsOf(record)
    const near = this.#candidates(lists, [])
    if (near.ready.length > 0 && !isThorough) return holding(record, near.ready)
    const { ready, away } = this.#candidates(lists, await this.#search(lists, signal))
    if (ready.length > 0 && !isThorough) return holding(record, ready)
    const all = [...ready, ...(await dialEach(this.#modules, away, signal))]
    if (all.length > 0) return holding(record, all)
    throw new CatalogError('NO_PROVIDERS', 'none of the nodes that may know of this release can be reached', {
      hint: 'it is in a closed library: its own node, or a member that follows it, has to be online'
    })
  }

  /** Sources that turn up while a fetch goes on, each once. Until the signal ends it; then throws its reason. */
  async *late(
    record: ReleaseRecord,
    known: readonly string[],
    signal: AbortSignal
  ): AsyncGenerator<string, void, undefined> {
    const { clock } = this.#modules
    const told = new Set(known)
    let holders: readonly string[] = []
    let searchAtMs = Number.NEGATIVE_INFINITY
    while (told.size - known.length < MAX_LATE) {
      await clock.wait(LOOK_MS, signal)
      const lists = await this.#listsOf(record)
      if (clock.monotonicMs() >= searchAtMs) {
        searchAtMs = clock.monotonicMs() + SEARCH_EVERY_MS
        holders = await this.#search(lists, signal)
      }
      for (const peerId of this.#candidates(lists, holders).ready) {
        if (told.has(peerId)) continue
        told.add(peerId)
        yield peerId
      }
    }
  }

  /** NOT_PERMITTED for a peer that may not know of a release. */
  async expectAdmitted(record: ReleaseRecord, peerId: string): Promise<void> {
    if (await this.#modules.access.admitsTo(record, nodeKeyOf(peerIdFromString(peerId)))) return
    const { name, version } = record.release
    throw new CatalogError(
      'NOT_PERMITTED',
      `${name}@${version} is in a closed library, and ${peerId} is not among those who may know of it`,
      { details: { peerId }, hint: 'leave --from out to ask those who may' }
    )
  }

  /** The access lists of the closed libraries that have a release. */
  async #listsOf({ bytes }: ReleaseRecord): Promise<AccessList[]> {
    const { registry, access } = this.#modules
    const libraries = await registry.librariesOf(bytes)
    const lists = await Promise.all(libraries.map(libraryId => access.accessOf(libraryId)))
    return lists.filter(list => list !== undefined)
  }

  #candidates(lists: readonly AccessList[], holders: readonly string[]): Candidates {
    const { network, clock, random = Math.random } = this.#modules
    const around = { self: this.#self, connected: network.connected(), holders, random }
    return candidatesOf(circleOf(lists, clock.now()), around)
  }

  async #search(lists: readonly AccessList[], signal: AbortSignal): Promise<string[]> {
    const keys = lists.slice(0, MAX_KEYS).map(keyOfList)
    return (await Promise.all(keys.map(key => searchHolders(this.#modules, key, signal)))).flat()
  }
}

/** Whom the lists admit now. */
function circleOf(lists: readonly AccessList[], nowMs: number): Circle {
  const members = lists.flatMap(list => list.members.filter(member => isAdmitted(list, member, nowMs)))
  return { writers: lists.map(({ writer }) => peerOf(writer)), members: members.map(peerOf) }
}

const holding = ({ id }: ReleaseRecord, peerIds: readonly string[]): ReleaseHolder[] =>
  peerIds.map(peerId => ({ peerId, record: id }))
