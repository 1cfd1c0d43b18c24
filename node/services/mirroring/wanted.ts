/**
 * What contents are that peers say are wanted, and that no library here has: a node that holds anybody's releases asks members which releases
 * these are, so that it can hold them.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { type Clock, HOUR_MS, type Logger, LruCache, SECOND_MS, toCatalogError } from '../../../base/index.ts'
import type { Registry, ReleaseRecord } from '../../../library/index.ts'
import type { Network } from '../network.ts'
import type { MirrorReleases } from './releases.ts'
import type { DemandBook, MemberDirectory, WantedReleases } from './types.ts'

/** Contents of one question, and members that are asked one after the other until all are known. */
const MAX_ASKED = 32
const MAX_MEMBERS_ASKED = 3
/** Contents that were asked about: not again within an hour, when somebody may know more. */
const MAX_REMEMBERED = 10_000
const ASK_AGAIN_MS = HOUR_MS
/** Origins without which nobody may hold what is not followed. */
const LEAST_ASKERS = 2
const ASK_MS = 10 * SECOND_MS

export interface WantedContentsModules {
  demand: Pick<DemandBook, 'demandOf' | 'wanted'>
  releases: Pick<MirrorReleases, 'of' | 'learn'>
  members: Pick<MemberDirectory, 'members'>
  network: Pick<Network, 'connected'>
  wanted: WantedReleases
  registry: Pick<Registry, 'add'>
  clock: Clock
  logger: Logger
}

export class WantedContents {
  readonly #modules: WantedContentsModules
  readonly #askedMs = new LruCache<string, number>({ maxEntries: MAX_REMEMBERED })

  constructor(modules: WantedContentsModules) {
    this.#modules = modules
  }

  /** Asks about the most wanted of those that are not known here; whether something was learnt. Never rejects but for the signal. */
  async learn(signal: AbortSignal): Promise<boolean> {
    const { members, network } = this.#modules
    const isMember = new Set(members.members().map(({ peer }) => peer))
    const asked = network.connected().filter(peer => isMember.has(peer))
    // With nobody to ask nothing counts as asked.
    const unknown = asked.length === 0 ? [] : this.#unknown()
    if (unknown.length === 0) return false
    let isLearnt = false
    for (const peer of asked.slice(0, MAX_MEMBERS_ASKED)) {
      const left = unknown.filter(content => this.#modules.releases.of(content) === undefined)
      if (left.length === 0) break
      for (const record of await this.#ask(peer, left, signal))
        isLearnt = (await this.#keep(record, signal)) || isLearnt
    }
    return isLearnt
  }

  #unknown(): string[] {
    const { demand, releases, clock } = this.#modules
    const nowMs = clock.monotonicMs()
    const unknown = demand
      .wanted(MAX_REMEMBERED)
      .filter(content => releases.of(content) === undefined)
      .filter(content => nowMs - (this.#askedMs.get(content) ?? Number.NEGATIVE_INFINITY) >= ASK_AGAIN_MS)
      .filter(content => demand.demandOf(content).askers >= LEAST_ASKERS)
      .slice(0, MAX_ASKED)
    for (const content of unknown) this.#askedMs.set(content, nowMs)
    return unknown
  }

  async #ask(peer: string, contents: readonly string[], signal: AbortSignal): Promise<ReleaseRecord[]> {
    const { wanted, logger } = this.#modules
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
      const cids = contents.map(content => CID.parse(content))
      return await wanted.recordsOf(peerIdFromString(peer), cids, limit)
    } catch (thrown) {
      signal.throwIfAborted()
      logger.debug(
        { peer, code: toCatalogError(thrown).code },
        'a member did not say what wanted contents are'
      )
      return []
    }
  }

  async #keep(record: ReleaseRecord, signal: AbortSignal): Promise<boolean> {
    const { registry, releases, logger } = this.#modules
    try {
      return await releases.learn((await registry.add(record.bytes, signal)).record)
    } catch (thrown) {
      signal.throwIfAborted()
      const { name, version } = record.release
      logger.debug({ name, version, code: toCatalogError(thrown).code }, 'a wanted release could not be kept')
      return false
    }
  }
}
