/**
 * Takes member records that peers bring. What is here already costs a hash; anything else is paid for by the peer before its signature is
 * verified, and a node that nobody knew by the network of the peer: keys are free, networks are not.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import { CatalogError, type Clock, HOUR_MS, SECOND_MS, toCatalogError } from '../../../base/index.ts'
import { decodeMember, type MemberRecord, type MemberVerdict } from '../../../mirror/index.ts'
import { type PeerRate, PeerRates } from '../../../protocols/index.ts'
import { type KnownMembers, memberKeyOf } from './known-members.ts'

/** Signatures that one peer may have verified here, 0.1 ms each: a fifth of a second at once, then 0.2 % of a core. */
const VERIFY_RATE: PeerRate = { perSecond: 20, burst: 2048 }
const NEW_NODES_PER_HOUR = 1024
/** Nodes of which nobody heard that one network may bring: as many as a network of thousands has new ones in days. */
export const NEW_NODE_RATE: PeerRate = {
  perSecond: (NEW_NODES_PER_HOUR / HOUR_MS) * SECOND_MS,
  burst: NEW_NODES_PER_HOUR
}
/** Records that are read before the event loop gets its turn: a millisecond. */
const RECORDS_PER_TURN = 8

/** Why a record was not taken, for metrics. */
export type Refusal = Exclude<MemberVerdict, 'taken' | 'old'> | 'invalid' | 'unknown format' | 'too many'

export interface MemberIntakeModules {
  known: KnownMembers
  clock: Clock
  /** Who counts as one, by where it is connected from. */
  originOf(peerId: PeerId): string
  /** A peer brought what an honest one would not. */
  onViolation(peerId: PeerId, error: CatalogError): void
  onRefused(refusal: Refusal): void
}

export class MemberIntake {
  readonly #modules: MemberIntakeModules
  readonly #verified: PeerRates
  readonly #newNodes: PeerRates

  constructor(modules: MemberIntakeModules) {
    this.#modules = modules
    this.#verified = new PeerRates(VERIFY_RATE, modules.clock)
    this.#newNodes = new PeerRates(NEW_NODE_RATE, modules.clock)
  }

  /** Records that a peer may bring now, and nodes among them of which nothing is known here. */
  room(peerId: PeerId): { records: number; newNodes: number } {
    const left = (rates: PeerRates, of: string): number => Math.max(0, Math.floor(rates.left(of)))
    return {
      records: left(this.#verified, peerId.toString()),
      newNodes: left(this.#newNodes, this.#modules.originOf(peerId))
    }
  }

  /**
   * Takes what is new of the records of a peer, and returns that. `asked`: keys of the records that it was asked for, where it was; others
   * break the protocol. Throws BUSY for what the peer or its network has no room for, MEMBER_INVALID, SIGNATURE_INVALID or PROTOCOL_VIOLATION, reported,
   * of a peer that lies; what came before that is taken, and given to `onTaken`.
   */
  async take(
    peerId: PeerId,
    records: readonly Uint8Array[],
    onTaken: (record: MemberRecord) => void,
    asked?: ReadonlySet<string>
  ): Promise<void> {
    const { known, onViolation, onRefused } = this.#modules
    const unseen = records.filter(record => !known.has(record))
    this.#verified.take(peerId.toString(), unseen.length)
    for (const [at, bytes] of unseen.entries()) {
      if (at > 0 && at % RECORDS_PER_TURN === 0) await nextTurn()
      try {
        const record = decodeMember(bytes)
        if (asked?.has(keyText(memberKeyOf(record.node))) === false)
          throw new CatalogError('PROTOCOL_VIOLATION', 'a member record that nobody asked for')
        if (this.#add(peerId, record)) onTaken(record)
      } catch (thrown) {
        const error = toCatalogError(thrown)
        if (error.code === 'BUSY') onRefused('too many')
        else if (error.code === 'UNSUPPORTED') {
          // A record of a later format is no fault of the peer that passes it on.
          onRefused('unknown format')
          continue
        } else {
          onRefused('invalid')
          onViolation(peerId, error)
        }
        throw error
      }
    }
  }

  #add(peerId: PeerId, record: MemberRecord): boolean {
    const { known, originOf, onRefused } = this.#modules
    if (known.get(record.node) === undefined) this.#newNodes.take(originOf(peerId), 1)
    const verdict = known.take(record)
    if (verdict !== 'taken' && verdict !== 'old') onRefused(verdict)
    return verdict === 'taken'
  }
}

export const keyText = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
