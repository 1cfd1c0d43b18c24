/**
 * What contents are that peers say are wanted, and that no library here has: a node that holds anybody's releases asks members which releases
 * these are, so that it can hold them.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import {
  type Clock,
  HOUR_MS,
  type Logger,
  LruCache,
  MINUTE_MS,
  SECOND_MS,
  timeoutSignal,
  toCatalogError
} from '../../../base/index.ts'
import type { Registry, ReleaseRecord } from '../../../library/index.ts'
import { LEAST_ASKERS, whyNotEligible } from '../../../mirror/index.ts'
import type { Network } from '../network.ts'
import type { MirrorReleases } from './releases.ts'
import type { DemandBook, MemberDirectory, WantedReleases } from './types.ts'

/** Contents of one question, and members that are asked one after the other until all are known. */
const MAX_ASKED = 32
const MAX_MEMBERS_ASKED = 3
/** Between two questions: as many as a member answers for long (WANTED_RATE). */
const PAUSE_MS = 10 * SECOND_MS
/** Contents that were asked about: not again within an hour, when somebody may know more. */
const MAX_REMEMBERED = 10_000
const ASK_AGAIN_MS = HOUR_MS
/** What is wanted is gone through no more often: with 500 peers that each report other contents it takes most of a second. */
const LOOK_EVERY_MS = MINUTE_MS
const ASK_MS = 10 * SECOND_MS

export interface WantedContentsModules {
  demand: Pick<DemandBook, 'demandOf' | 'wanted'>
  releases: Pick<MirrorReleases, 'of' | 'learn' | 'judge' | 'isNamed'>
  members: Pick<MemberDirectory, 'members'>
  network: Pick<Network, 'connected'>
  wanted: WantedReleases
  registry: Pick<Registry, 'add'>
  clock: Clock
  logger: Logger
  /** A release was learnt that a plan may follow from. */
  changed(): void
}

export class WantedContents {
  readonly #modules: WantedContentsModules
  readonly #askedMs = new LruCache<string, number>({ maxEntries: MAX_REMEMBERED })
  /** What is still to be asked about of what was wanted at `#lookedMs`, most wanted first. */
  #left: string[] = []
  #questions = 0
  #lookedMs = Number.NEGATIVE_INFINITY
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(modules: WantedContentsModules) {
    this.#modules = modules
  }

  /** Asks whenever there may be more to ask. Runs until the signal; then rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) await this.#modules.clock.wait(await this.learn(signal), signal)
  }

  /** Asks about the most wanted of those that are not known here; resolves with in how long there may be more to ask. Never rejects but for the signal. */
  async learn(signal: AbortSignal): Promise<number> {
    const { members, network, clock } = this.#modules
    const isMember = new Set(members.members().map(({ peer }) => peer))
    const asked = network.connected().filter(peer => isMember.has(peer))
    // With nobody to ask nothing counts as asked.
    if (asked.length === 0) return PAUSE_MS
    if (clock.monotonicMs() >= this.#nextMs) {
      await this.#askAll(this.#inTurn(asked), this.#unknown(), signal)
      const lookMs = this.#left.length > 0 ? Number.NEGATIVE_INFINITY : this.#lookedMs + LOOK_EVERY_MS
      this.#nextMs = Math.max(clock.monotonicMs() + PAUSE_MS, lookMs)
    }
    return this.#nextMs - clock.monotonicMs()
  }

  /** Each question begins with another member: those who say nothing are not the only ones that are ever asked. */
  #inTurn(members: readonly string[]): string[] {
    const first = this.#questions++ % members.length
    return [...members.slice(first), ...members.slice(0, first)].slice(0, MAX_MEMBERS_ASKED)
  }

  async #askAll(peers: readonly string[], unknown: readonly string[], signal: AbortSignal): Promise<void> {
    for (const peer of peers) {
      const left = unknown.filter(content => this.#modules.releases.of(content) === undefined)
      if (left.length === 0) break
      for (const record of await this.#ask(peer, left, signal)) await this.#keep(record, signal)
    }
  }

  #unknown(): string[] {
    const { demand, releases, clock } = this.#modules
    const nowMs = clock.monotonicMs()
    if (this.#left.length === 0) {
      this.#lookedMs = nowMs
      this.#left = demand
        .wanted(MAX_REMEMBERED)
        .filter(content => releases.of(content) === undefined)
        .filter(content => nowMs - (this.#askedMs.get(content) ?? Number.NEGATIVE_INFINITY) >= ASK_AGAIN_MS)
        .filter(content => demand.demandOf(content).askers >= LEAST_ASKERS)
    }
    const unknown = this.#left.splice(0, MAX_ASKED)
    for (const content of unknown) this.#askedMs.set(content, nowMs)
    return unknown
  }

  async #ask(peer: string, contents: readonly string[], signal: AbortSignal): Promise<ReleaseRecord[]> {
    const { wanted, logger } = this.#modules
    try {
      const limit = AbortSignal.any([signal, timeoutSignal(ASK_MS)])
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

  /** What has no place here is not kept, and one name of a content is enough: names are free for whoever brings them. */
  async #keep(record: ReleaseRecord, signal: AbortSignal): Promise<void> {
    const { registry, releases, logger, changed } = this.#modules
    try {
      if (releases.isNamed(record.release.content.toString())) return
      const candidate = await releases.judge(record)
      if (candidate === undefined || whyNotEligible(candidate, 'network') !== undefined) return
      await releases.learn((await registry.add(record.bytes, signal)).record)
      changed()
    } catch (thrown) {
      signal.throwIfAborted()
      const { name, version } = record.release
      logger.debug({ name, version, code: toCatalogError(thrown).code }, 'a wanted release could not be kept')
    }
  }
}
