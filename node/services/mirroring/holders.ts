/**
 * Who holds what, as far as it matters to this node: members are asked what they hold, tell it by themselves, and are found in the DHT;
 * then each has to prove it, at once and again every day. A member that is lost is dialled before it counts as away for good. What comes of all
 * that goes to the planner, which decides; nothing is decided here.
 */

import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type Clock,
  DAY_MS,
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  SECOND_MS,
  Semaphore,
  showQueue,
  timeoutSignal,
  toCatalogError
} from '../../../base/index.ts'
import type { MirrorPlanner } from '../../../mirror/index.ts'
import type { HoldingsExchange, HoldingsTold } from '../../../protocols/index.ts'
import type { Host } from '../../host/index.ts'
import type { Network } from '../network.ts'
import { type Challenge, Challenges } from './challenges.ts'
import type { Claimed } from './claimed.ts'
import { MemberPresence } from './presence.ts'
import { ASK_MS, MemberQuestions } from './questions.ts'
import type { MirrorReleases } from './releases.ts'
import type { MemberDirectory, Possession } from './types.ts'

/** Members that are told at once, and contents that are looked up in the DHT at once; of both those that wait. */
const MAX_TELLING = 8
const MAX_LOOKING_UP = 4
const MAX_WAITING = 20_000
/** One search of the DHT. */
const SEARCH_MS = 10 * SECOND_MS
/** Holders of one content that a search goes on for. */
const MAX_FOUND = 20
/** What was proven is proven again after so long: well within the time for which a proof counts. */
const PROVE_AGAIN_MS = 0.9 * DAY_MS
/** Proofs that a tick of the watch asks for: 200,000 come round within a day. */
const MAX_RENEWED = 1000
/** A holder that is not connected is dialled so often to see whether it is there; a tick of that looks at so many, those that waited longest. */
const LEAST_CHECK_MS = 2 * SECOND_MS
const MOST_CHECK_MS = 5 * MINUTE_MS
const MAX_CHECKS = 64

export interface HoldersModules {
  host: Pick<Host, 'peers'>
  network: Pick<Network, 'connected' | 'recordHolders'>
  exchange: Pick<HoldingsExchange, 'ask' | 'tell'>
  members: Pick<MemberDirectory, 'members'>
  possession: Possession
  planner: MirrorPlanner
  releases: Pick<MirrorReleases, 'of'>
  claimed: Claimed
  clock: Clock
  logger: Logger
  /** Something has changed that a plan may follow from. */
  changed(): void
  /** Uniform in [0, 1). */
  random: () => number
  metrics?: MetricsRegistry | undefined
}

export interface HoldersOptions {
  self: string
  /** After which an absent holder's copy is replaced. */
  graceMs: number
  /** How often members are asked about everything. */
  intervalMs: number
  /** Copies that there should be: with so many holders nobody is searched for. */
  copies: number
}

export class Holders {
  readonly #modules: HoldersModules
  readonly #options: HoldersOptions
  readonly #questions: MemberQuestions
  readonly #telling = new Semaphore({
    name: 'members that are told',
    maxActive: MAX_TELLING,
    maxWaiting: MAX_WAITING
  })
  readonly #searches = new Semaphore({
    name: 'searches for holders',
    maxActive: MAX_LOOKING_UP,
    maxWaiting: MAX_WAITING
  })
  readonly #challenges: Challenges
  #members: ReadonlySet<string> = new Set()
  /** What members were told that this node holds. */
  readonly #told = new Map<string, CID>()
  readonly #presence: MemberPresence

  constructor(modules: HoldersModules, options: HoldersOptions) {
    this.#modules = modules
    showQueue(modules.metrics, this.#telling)
    showQueue(modules.metrics, this.#searches)
    this.#options = options
    this.#presence = new MemberPresence(modules)
    this.#questions = new MemberQuestions({
      ...modules,
      concerns: () => [...modules.planner.concerns()],
      onAnswer: (peer, asked, held) => this.#answered(peer, asked, held)
    })
    this.#challenges = new Challenges(modules, {
      onOutcome: (challenge, outcome) => this.#judged(challenge, outcome)
    })
  }

  /** How many proofs are waited for. */
  get waiting(): number {
    return this.#challenges.waiting
  }

  /** Members that have proven that they hold a content, and can be reached. */
  provenOf(content: string): string[] {
    return this.#modules.claimed.provenHoldersOf(content).filter(peer => !this.#presence.isAway(peer))
  }

  /** The members have changed: those that came are asked what they hold. */
  setMembers(signal: AbortSignal): void {
    const { members, network, claimed } = this.#modules
    const before = this.#members
    this.#members = new Set(members.members().map(({ peer }) => peer))
    for (const peer of before)
      if (!this.#members.has(peer)) {
        this.#presence.forget(peer)
        this.#questions.forget(peer)
        claimed.forgetPeer(peer)
      }
    for (const peer of network.connected()) if (!before.has(peer)) this.connected(peer, signal)
  }

  /** A peer is connected: a member is asked what it holds of all that matters. */
  connected(peer: string, signal: AbortSignal): void {
    if (!this.#isMember(peer)) return
    this.#setPresent(peer, true)
    this.#challenges.hurry(peer)
    void this.#questions.everything(peer, signal)
  }

  disconnected(peer: string): void {
    this.#setPresent(peer, false)
  }

  /** What a peer says by itself. */
  told(peer: string, { held, gone }: HoldingsTold): void {
    if (!this.#isMember(peer)) return
    for (const content of held) {
      this.#modules.possession.claimed(peer, content)
      this.#claim(peer, content)
    }
    for (const content of gone) this.#refute(peer, content.toString())
  }

  /** Finds out who holds some contents; the planner is told of each when all that can be asked at once have answered. */
  async lookUp(contents: readonly string[], signal: AbortSignal): Promise<void> {
    const { planner, clock } = this.#modules
    const cids = contents.map(content => CID.parse(content))
    await this.#askAll(peer => this.#questions.ask(peer, cids, signal), signal)
    for (const content of contents) planner.setKnown(content, clock.now())
    this.#modules.changed()
    for (const content of contents) void this.#search(content, signal)
  }

  /** Everything anew: what members hold, and proofs that get old. */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.#askAll(peer => this.#questions.everything(peer, signal), signal)
  }

  /** All members that are connected. Those that take their time are waited for no longer than one answer may take; what they say later counts then. */
  async #askAll(ask: (peer: string) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    const answered = new AbortController()
    const late = clock.wait(ASK_MS, AbortSignal.any([signal, answered.signal])).catch(() => undefined)
    await Promise.race([late, Promise.all(this.#connected().map(ask))])
    answered.abort()
    signal.throwIfAborted()
  }

  /** Has a peer prove a content now. */
  prove(peer: string, content: CID): void {
    this.#challenges.add({ peer, content })
  }

  /** Members are asked again, those that are not connected are dialled, and proofs that get old are renewed. Runs until the signal. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    const everyMs = Math.min(MOST_CHECK_MS, Math.max(LEAST_CHECK_MS, this.#options.graceMs / 3))
    const proving = this.#challenges.run(signal)
    this.#questions.forgetAll()
    try {
      for (;;) {
        await clock.wait(everyMs, signal)
        this.#askAgain(signal)
        this.#proveAgain()
        await this.#checkAbsent(everyMs, signal)
      }
    } finally {
      await proving.catch(() => undefined)
    }
  }

  /** Tells connected members what this node holds for good, as far as that is another than they were told. Never rejects. */
  async tellAll(held: ReadonlyMap<string, CID>, signal: AbortSignal): Promise<void> {
    const gone = [...this.#told].filter(([key]) => !held.has(key)).map(([, content]) => content)
    const come = [...held].filter(([key]) => !this.#told.has(key)).map(([, content]) => content)
    if (gone.length + come.length > 0) await this.tell({ held: come, gone }, signal)
  }

  /** Tells connected members what this node holds from now on, and what no more. Never rejects. */
  async tell(told: HoldingsTold, signal: AbortSignal): Promise<void> {
    const { exchange, logger } = this.#modules
    for (const content of told.held) this.#told.set(content.toString(), content)
    for (const content of told.gone) this.#told.delete(content.toString())
    await Promise.all(
      this.#connected().map(peer =>
        this.#telling
          .run(() => exchange.tell(peerIdFromString(peer), told, within(signal, ASK_MS)), signal)
          .catch(thrown =>
            logger.debug({ peer, code: toCatalogError(thrown).code }, 'a peer was not told what is held here')
          )
      )
    )
  }

  #isMember(peer: string): boolean {
    return peer !== this.#options.self && this.#members.has(peer)
  }

  /** Members that are connected. */
  #connected(): string[] {
    return this.#modules.network.connected().filter(peer => this.#isMember(peer))
  }

  /** Those that have not answered everything within the interval. */
  #askAgain(signal: AbortSignal): void {
    const beforeMs = this.#modules.clock.monotonicMs() - this.#options.intervalMs
    for (const peer of this.#connected()) {
      this.#setPresent(peer, true)
      if (!this.#questions.hasAnsweredSince(peer, beforeMs)) void this.#questions.everything(peer, signal)
    }
  }

  /** What a member has answered. */
  #answered(peer: string, asked: readonly CID[], held: readonly CID[]): void {
    this.#setPresent(peer, true)
    const holding = new Set(held.map(String))
    for (const content of asked) {
      if (holding.has(content.toString())) this.#claim(peer, content)
      else if (this.#modules.claimed.has(peer, content.toString())) this.#refute(peer, content.toString())
    }
  }

  /** Those that say in the DHT that they have it, where those who were asked are too few. Never rejects. */
  async #search(content: string, signal: AbortSignal): Promise<void> {
    const { network, releases, claimed, logger } = this.#modules
    const release = releases.of(content)
    if (release === undefined) return
    try {
      await this.#searches.run(async () => {
        if (claimed.holdersOf(content).length >= this.#options.copies) return
        let found = 0
        for await (const { peerId } of network.recordHolders(release.record, within(signal, SEARCH_MS))) {
          this.#claim(peerId, release.content)
          if (++found >= MAX_FOUND) break
        }
      }, signal)
    } catch (thrown) {
      if (!signal.aborted)
        logger.debug({ content, code: toCatalogError(thrown).code }, 'no more holders are known of a content')
    }
  }

  #claim(peer: string, content: CID): void {
    const { planner, clock, claimed, changed } = this.#modules
    if (!this.#isMember(peer)) return
    const key = content.toString()
    if (!planner.claim(key, peer, clock.now()) || !claimed.add(peer, key)) return
    const provenMs = claimed.provenMs(peer, key)
    // The planner forgets what did not matter for a while.
    if (provenMs === undefined) this.#challenges.add({ peer, content })
    else planner.prove(key, peer, provenMs)
    if (planner.hasChanged) changed()
  }

  #refute(peer: string, content: string): void {
    const { planner, clock, claimed, changed } = this.#modules
    claimed.remove(peer, content)
    planner.refute(content, peer, clock.now())
    if (planner.hasChanged) changed()
  }

  #judged({ peer, content }: Challenge, outcome: 'proven' | 'refuted'): void {
    const { planner, clock, claimed, changed } = this.#modules
    const key = content.toString()
    if (outcome === 'refuted') {
      this.#refute(peer, key)
      return
    }
    this.#setPresent(peer, true)
    if (planner.prove(key, peer, clock.now())) claimed.proven(peer, key, clock.now())
    // It matters no more.
    else claimed.remove(peer, key)
    changed()
  }

  /** What was proven long ago, or found no place to be. Who does not answer takes nobody's place. */
  #proveAgain(): void {
    const { clock, claimed, releases, random } = this.#modules
    // Not all at once where all were proven at once.
    const beforeMs = clock.now() - PROVE_AGAIN_MS - HOUR_MS * random()
    let renewed = 0
    for (const { peer, content } of claimed.provenBefore(beforeMs)) {
      const release = releases.of(content)
      if (release === undefined) claimed.remove(peer, content)
      else {
        const challenge = { peer, content: release.content }
        if (this.#presence.isAway(peer) || this.#challenges.has(challenge)) continue
        if (this.#challenges.add(challenge) && ++renewed >= MAX_RENEWED) return
      }
    }
  }

  /** An absent holder that answers is present again. */
  async #checkAbsent(everyMs: number, signal: AbortSignal): Promise<void> {
    const { network, claimed, clock } = this.#modules
    const connected = new Set(network.connected())
    const due = claimed
      .peers()
      .filter(peer => !connected.has(peer) && this.#isMember(peer))
      .filter(peer => clock.now() - this.#presence.checkedMs(peer) >= everyMs)
      .sort((a, b) => this.#presence.checkedMs(a) - this.#presence.checkedMs(b))
      .slice(0, MAX_CHECKS)
    await Promise.all(due.map(peer => this.#check(peer, signal)))
  }

  /** Who says that it is busy is there; so is who is connected, whatever it answers: it may have begun just now. */
  async #check(peer: string, signal: AbortSignal): Promise<void> {
    const [content] = this.#modules.claimed.of(peer)
    if (content === undefined) return
    const busyMs = await this.#questions.ask(peer, [CID.parse(content)], signal)
    if (!signal.aborted) this.#setPresent(peer, busyMs !== undefined || this.#connected().includes(peer))
  }

  /** Of who is no member any more, whatever it was asked before, nothing is kept. */
  #setPresent(peer: string, isPresent: boolean): void {
    const { planner, changed } = this.#modules
    if (!this.#isMember(peer)) return
    this.#presence.set(peer, isPresent)
    if (planner.hasChanged) changed()
  }
}

const within = (signal: AbortSignal, timeoutMs: number): AbortSignal =>
  AbortSignal.any([signal, timeoutSignal(timeoutMs)])
