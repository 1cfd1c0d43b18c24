/** What becomes of challenges of peers; none of who has just failed one. How many there are at once, challenges.ts sees to. */
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
  toCatalogError,
  withSpan
} from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import type { MayRead, ProofClient, ToldBytes } from '../../../protocols/index.ts'
import { releaseAttributes } from '../span-attributes.ts'
import type { Violations } from '../violations.ts'
import { Doubts } from './doubts.ts'
import type { Possession, ProofOutcome } from './types.ts'

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
  readonly #outcomes

  constructor(modules: PossessionModules) {
    this.#modules = modules
    this.#doubts = new Doubts(modules.clock)
    const metrics = partMetrics(modules.metrics, 'proof')
    this.#outcomes = metrics.counter('asked_challenges_total')
  }

  async challenge(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome> {
    const outcome = await this.#outcomeOf(peerId, content, signal)
    this.#outcomes.inc({ outcome })
    return outcome
  }

  claimed(peerId: string, content: CID): void {
    this.#doubts.claimed(peerId, content.toString())
  }

  async #outcomeOf(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome> {
    if (this.#doubts.isDoubted(peerId, content.toString())) return 'refuted'
    try {
      return await this.#ask(peerId, content, signal)
    } catch (thrown) {
      signal.throwIfAborted()
      // Everything that a peer can do is judged below.
      const err = toCatalogError(thrown)
      this.#modules.logger.error({ err, peer: peerId }, 'a peer could not be challenged')
      return 'unanswered'
    }
  }

  async #ask(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome> {
    const { client, releaseOf, mayRead } = this.#modules
    const record = releaseOf(content)
    const peer = peerIdFromString(peerId)
    if (record === undefined || !(await mayRead(peer, record))) return 'unanswered'
    let told: ToldBytes
    try {
      const attributes = { ...releaseAttributes(record.release), 'catalog.peer.id': peerId }
      told = await withSpan('mirror.prove', attributes, () => client.challenge(peer, record.release, signal))
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
}
