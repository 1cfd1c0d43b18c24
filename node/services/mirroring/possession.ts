/** Challenges of peers, as the runner of mirroring asks for them: some at once, one of each peer, and none of who has just failed one. */
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type CatalogError,
  type Clock,
  type ErrorCode,
  type Logger,
  partMetrics,
  Semaphore,
  toCatalogError
} from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import type { MayRead, ProofClient, ToldBytes } from '../../../protocols/index.ts'
import type { Violations } from '../violations.ts'
import { Doubts } from './doubts.ts'
import type { Possession, ProofOutcome } from './types.ts'

/** Challenges under way: each holds an answer of half a mebibyte at most, and has the disk read some chunks. */
const MAX_ACTIVE = 8
/** And waiting: those that a look at a few hundred contents asks for. */
const MAX_WAITING = 1024
/** Challenges of one peer that wait for the one under way. */
const MAX_WAITING_FOR_PEER = 64

/** What the peer answered breaks the protocol or is no proof. */
const VIOLATIONS: ReadonlySet<ErrorCode> = new Set(['BYTES_WRONG', 'PROTOCOL_VIOLATION'])

export interface PossessionModules {
  client: Pick<ProofClient, 'challenge'>
  /** A release with that content that this node knows. */
  releaseOf(content: CID): ReleaseRecord | undefined
  /** Whether a peer may know of a release: its name is told to nobody else. */
  mayRead: MayRead
  clock: Pick<Clock, 'monotonicMs'>
  logger: Logger
  onViolation: ReturnType<Violations['of']>
  /** What a holder says of itself, told before its proof counts. */
  onMember(peerId: string, bytes: Uint8Array): void | Promise<void>
  onDemand(peerId: string, bytes: Uint8Array): void | Promise<void>
  metrics?: MetricsRegistry
}

export class PeerPossession implements Possession {
  readonly #modules: PossessionModules
  readonly #doubts: Doubts
  readonly #turns = new Semaphore({ name: 'challenges', maxActive: MAX_ACTIVE, maxWaiting: MAX_WAITING })
  /** Peers that are challenged, or wait for it. */
  readonly #peers = new Map<string, Semaphore>()
  readonly #outcomes

  constructor(modules: PossessionModules) {
    this.#modules = modules
    this.#doubts = new Doubts(modules.clock)
    const metrics = partMetrics(modules.metrics, 'proof')
    this.#outcomes = metrics.counter('asked_challenges_total', 'Challenges of peers by outcome.', ['outcome'])
  }

  async challenge(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome> {
    const outcome = await this.#outcomeOf(peerId, content, signal)
    this.#outcomes.inc({ outcome })
    return outcome
  }

  async #outcomeOf(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome> {
    const { logger } = this.#modules
    if (this.#doubts.isDoubted(peerId, content.toString())) return 'refuted'
    const places = this.#placesOf(peerId)
    try {
      // First the peer's turn: who waits for it has no place that others could have.
      return await places.run(
        () => this.#turns.run(() => this.#inTurn(peerId, content, signal), signal),
        signal
      )
    } catch (thrown) {
      signal.throwIfAborted()
      const error = toCatalogError(thrown)
      // BUSY is that too many wait; everything that a peer can do is judged below.
      if (error.code !== 'BUSY') logger.error({ err: error, peer: peerId }, 'a peer could not be challenged')
      return 'unanswered'
    } finally {
      if (places.active === 0 && places.waiting === 0) this.#peers.delete(peerId)
    }
  }

  async #inTurn(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome> {
    const { client, releaseOf, mayRead } = this.#modules
    // It may have failed while this one waited.
    if (this.#doubts.isDoubted(peerId, content.toString())) return 'refuted'
    const record = releaseOf(content)
    const peer = peerIdFromString(peerId)
    if (record === undefined || !(await mayRead(peer, record))) return 'unanswered'
    let told: ToldBytes
    try {
      told = await client.challenge(peer, record.release, signal)
    } catch (thrown) {
      signal.throwIfAborted()
      return this.#judge(peer, content, toCatalogError(thrown))
    }
    await this.#tell(peerId, told)
    this.#doubts.proved(peerId)
    return 'proven'
  }

  /** What follows from a challenge that failed. */
  #judge(peer: PeerId, content: CID, error: CatalogError): ProofOutcome {
    const { logger, onViolation } = this.#modules
    const { code, message } = error
    const about = [peer.toString(), content.toString()] as const
    logger.debug({ peer: about[0], content: about[1], code, reason: message }, 'a peer proved nothing')
    if (code === 'NOT_FOUND') {
      this.#doubts.absent(...about)
      return 'refuted'
    }
    const isViolation = VIOLATIONS.has(code)
    if (!isViolation && code !== 'TIMEOUT') return 'unanswered'
    this.#doubts.failed(...about)
    if (isViolation) onViolation(peer, error)
    return 'refuted'
  }

  /** What the bytes are worth is for others to say; that they are not worth anything takes nothing from the proof. */
  async #tell(peerId: string, { member, demand }: ToldBytes): Promise<void> {
    const { onMember, onDemand, logger } = this.#modules
    try {
      if (member.byteLength > 0) await onMember(peerId, member)
      if (demand.byteLength > 0) await onDemand(peerId, demand)
    } catch (err) {
      logger.warn({ err, peer: peerId }, 'what a peer says of itself with a proof could not be taken')
    }
  }

  #placesOf(peerId: string): Semaphore {
    const known = this.#peers.get(peerId)
    if (known !== undefined) return known
    const places = new Semaphore({
      name: 'challenges of a peer',
      maxActive: 1,
      maxWaiting: MAX_WAITING_FOR_PEER
    })
    this.#peers.set(peerId, places)
    return places
  }
}
