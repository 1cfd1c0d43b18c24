import type { Database } from '../../library/index.ts'
import { Verdict } from '../../protocols/index.ts'
import { xor } from '../distance.ts'
import { kademliaId } from '../keys.ts'
import { Eviction } from './eviction.ts'
import { CLAIM_LIFETIME_MS, type ProviderLimits } from './limits.ts'
import type { WriteRound } from './round.ts'
import { ClaimGroup, claimRowKey, encodeClaim, type ProviderRow } from './rows.ts'

/** Keys that one provider claims to hold. The caller has authenticated it and checked the record's signature. */
export interface ClaimBatch {
  /** Multihash of the provider's peer id. */
  readonly provider: Uint8Array
  /** The network its connection comes from (`networkPrefix`); none for a local one, which has no limit as a network. */
  readonly network?: Uint8Array
  readonly peerRecord: Uint8Array
  readonly sequence: bigint
  /** No key twice. */
  readonly keys: readonly Uint8Array[]
  readonly lifetimeMs: number
}

export interface AdmissionOptions {
  /** Multihash of this node's own peer id: its claims have no limits. */
  readonly self: Uint8Array
  /** Whether this node is near enough to a key to keep claims of others for it. */
  readonly isNear: (key: Uint8Array) => boolean
  readonly limits: ProviderLimits
}

/** Judges batches of claims and puts the accepted ones, and what has to go for them, into one round. */
export class Admission {
  readonly eviction: Eviction
  readonly #database: Database
  readonly #round: WriteRound
  readonly #options: AdmissionOptions
  readonly #selfId: Uint8Array

  constructor(
    modules: { database: Database; random: () => number },
    round: WriteRound,
    options: AdmissionOptions
  ) {
    this.eviction = new Eviction(modules, round)
    this.#database = modules.database
    this.#round = round
    this.#options = options
    this.#selfId = kademliaId(options.self)
  }

  /** One verdict for each key. */
  async judge(batch: ClaimBatch, nowMs: number): Promise<Verdict[]> {
    const round = this.#round
    const isOwn = Buffer.compare(batch.provider, this.#options.self) === 0
    const group = isOwn ? ClaimGroup.Own : ClaimGroup.Others
    const distances = batch.keys.map(key => xor(this.#selfId, kademliaId(key)))
    const rowKeys = distances.map(distance => claimRowKey(group, distance, batch.provider))
    const stored = await this.#database.getMany(rowKeys)
    const provider = this.#providerOf(batch)
    if (!isOwn) await this.#prepareEviction(batch.keys.length, provider, nowMs)
    const lifetimeMs = Math.min(batch.lifetimeMs, CLAIM_LIFETIME_MS)
    const value = encodeClaim({ receivedAt: nowMs, expiresAt: nowMs + lifetimeMs })
    return batch.keys.map((key, i) => {
      const isNew = !(round.changed(rowKeys[i]!) ?? stored[i] !== undefined)
      const verdict = isOwn ? Verdict.Accepted : this.#verdict(key, distances[i]!, provider, isNew)
      if (verdict === Verdict.Accepted) round.put(rowKeys[i]!, value, isNew)
      return verdict
    })
  }

  #verdict(key: Uint8Array, distance: Uint8Array, provider: ProviderRow, isNew: boolean): Verdict {
    const { isNear, limits } = this.#options
    if (!isNear(key)) return Verdict.NotNear
    if (!isNew) return Verdict.Accepted
    if (provider.claims >= limits.claimsPerProvider) return Verdict.ProviderFull
    const newProviders = provider.claims === 0 ? 1 : 0
    if (!this.#hasNetworkRoom(provider.network, 1, newProviders)) return Verdict.StoreFull
    return this.#makeRoom(distance, newProviders) ? Verdict.Accepted : Verdict.StoreFull
  }

  /** Room in the store for one claim, and for its provider when that is new. */
  #makeRoom(distance: Uint8Array, newProviders: number): boolean {
    const { totals } = this.#round
    const { limits } = this.#options
    if (totals.providers + newProviders > limits.providers) return this.eviction.makeRoomForProvider(distance)
    return totals.claims < limits.claims || this.eviction.makeRoom(distance)
  }

  #hasNetworkRoom(network: Uint8Array, claims: number, providers: number): boolean {
    if (network.length === 0) return true
    const counts = this.#round.network(network)
    const { claimsPerNetwork, providersPerNetwork } = this.#options.limits
    return counts.claims + claims <= claimsPerNetwork && counts.providers + providers <= providersPerNetwork
  }

  async #prepareEviction(keys: number, provider: ProviderRow, nowMs: number): Promise<void> {
    const { totals } = this.#round
    const { limits } = this.#options
    const missing = Math.min(keys, totals.claims + keys - limits.claims)
    const isProviderTooMany = provider.claims === 0 && totals.providers >= limits.providers
    if (missing > 0 || isProviderTooMany) await this.eviction.prepare(Math.max(0, missing), nowMs)
  }

  /**
   * The provider's row as this round leaves it. The peer record with the larger sequence number stays. Its claims are counted
   * to the network it is in now, if there is room for them, else to the one before.
   */
  #providerOf(batch: ClaimBatch): ProviderRow {
    const row = this.#round.provider(batch.provider)
    if (row.claims === 0 || batch.sequence >= row.sequence) {
      row.peerRecord = batch.peerRecord
      row.sequence = batch.sequence
    }
    const network = batch.network ?? new Uint8Array()
    const hasMoved = Buffer.compare(row.network, network) !== 0
    if (hasMoved && (row.claims === 0 || this.#hasNetworkRoom(network, row.claims, 1)))
      this.#round.move(row, network)
    return row
  }
}
