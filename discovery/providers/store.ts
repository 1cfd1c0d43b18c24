import { CatalogError, type Clock, type Logger } from '../../base/index.ts'
import type { Database, WriteOperation } from '../../library/index.ts'
import { Verdict } from '../../protocols/index.ts'
import { keyText } from '../keys.ts'
import {
  BATCHES_PER_WRITE,
  CLAIM_LIFETIME_MS,
  CLEANUP_ROWS,
  PROVIDER_LIMITS,
  type ProviderLimits,
  ROWS_PER_ANSWER
} from './limits.ts'
import {
  claimPrefix,
  claimRowKey,
  decodeClaim,
  decodeProvider,
  decodeTotals,
  encodeClaim,
  encodeProvider,
  encodeTotals,
  type ProviderRow,
  placeAmongProviders,
  providerOfClaim,
  providerRowKey,
  type TotalsRow,
  totalsRowKey
} from './rows.ts'

/**
 * Who claims to hold what: the records that others keep here because this node is near their keys, and the node's own.
 *
 * A record is (key, provider, its signed addresses, expiry). The newest claim of a provider replaces its older one; an
 * expired one is ignored by readers and removed by the clean-up, which goes round the store in small steps. Writes are
 * judged one after the other, in batches: all that came while the last write ran shares the next one and its fsync.
 * Counts stand in the database beside what they count, in the same atomic write, so a crash cannot make them wrong.
 */
export interface ProviderStoreModules {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1): which claims of a crowded key are told. */
  readonly random: () => number
}

export interface ProviderStoreOptions {
  /** Multihash of this node's own peer id: its claims have no limits. */
  readonly self: Uint8Array
  /** Whether this node is near enough to a key to keep claims of others for it. */
  readonly isNear: (key: Uint8Array) => boolean
  readonly limits?: ProviderLimits
}

/** Keys that one provider claims to hold. The caller has authenticated it and checked the record's signature. */
export interface ClaimBatch {
  /** Multihash of the provider's peer id. */
  readonly provider: Uint8Array
  readonly peerRecord: Uint8Array
  readonly sequence: bigint
  /** No key twice. */
  readonly keys: readonly Uint8Array[]
  readonly lifetimeMs: number
}

/** One answer to "who holds this key". */
export interface ProviderRecord {
  readonly provider: Uint8Array
  readonly peerRecord: Uint8Array
  readonly receivedAt: number
  readonly expiresAt: number
}

export interface AnswerBounds {
  readonly maxProviders: number
  /** Sum of the peer records' sizes. */
  readonly maxBytes: number
}

interface Waiting {
  readonly batch: ClaimBatch
  resolve(verdicts: Verdict[]): void
  reject(error: unknown): void
}

/** What one write is about: rows read or changed so far, so that batches in it see each other's effect. */
interface WriteRound {
  readonly now: number
  readonly totals: TotalsRow
  readonly providers: Map<string, ProviderRow>
  /** Row keys of claims put in this round. */
  readonly added: Set<string>
  readonly operations: WriteOperation[]
}

export class ProviderStore {
  readonly #modules: ProviderStoreModules
  readonly #options: ProviderStoreOptions
  readonly #limits: ProviderLimits
  readonly #waiting: Waiting[] = []
  /** The writer: the clean-up and the batches take turns, since both change the counts. */
  #writing: Promise<void> = Promise.resolve()
  #draining = false
  /** Where the clean-up goes on. */
  #cursor: Uint8Array | undefined

  constructor(modules: ProviderStoreModules, options: ProviderStoreOptions) {
    this.#modules = modules
    this.#options = options
    this.#limits = options.limits ?? PROVIDER_LIMITS
  }

  /** Claims and providers in the store, expired ones that were not removed yet included. */
  totals(): TotalsRow {
    const row = this.#modules.database.get(totalsRowKey)
    return row === undefined ? { claims: 0, providers: 0 } : decodeTotals(row)
  }

  /** Judges and keeps claims; resolves when they are on disk, with one verdict for each key. BUSY when too many wait. */
  add(batch: ClaimBatch): Promise<Verdict[]> {
    if (this.#waiting.length >= this.#limits.waitingBatches)
      return Promise.reject(
        new CatalogError('BUSY', `${this.#limits.waitingBatches} batches of provider claims already wait`)
      )
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject })
      if (this.#draining) return
      this.#draining = true
      void this.#exclusive(() => this.#drain())
    })
  }

  /** The valid claims for a key, newest first; a random part of them where there are more than the bounds allow. */
  async get(key: Uint8Array, bounds: AnswerBounds, signal?: AbortSignal): Promise<ProviderRecord[]> {
    const { database, clock, random } = this.#modules
    const now = clock.now()
    const found: Array<{ provider: Uint8Array; receivedAt: number; expiresAt: number; order: number }> = []
    for await (const [rowKey, value] of this.#someClaims(key, signal)) {
      const claim = decodeClaim(value)
      if (claim.expiresAt > now) found.push({ provider: providerOfClaim(rowKey), ...claim, order: random() })
    }
    const chosen = found.sort((a, b) => a.order - b.order).slice(0, bounds.maxProviders)
    const records: ProviderRecord[] = []
    let bytes = 0
    for (const { provider, receivedAt, expiresAt } of chosen) {
      const row = database.get(providerRowKey(provider))
      if (row === undefined) continue
      const { peerRecord } = decodeProvider(row)
      if (bytes + peerRecord.length > bounds.maxBytes) continue
      bytes += peerRecord.length
      records.push({ provider, peerRecord, receivedAt, expiresAt })
    }
    return records.sort((a, b) => b.receivedAt - a.receivedAt)
  }

  /**
   * Up to ROWS_PER_ANSWER claims of a key, from a random place among them and round to it: who makes itself the first ids of all
   * must not be the only one who is told.
   */
  async *#someClaims(key: Uint8Array, signal?: AbortSignal): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const { database, random } = this.#modules
    const prefix = claimPrefix(key)
    const start = Buffer.concat([prefix, placeAmongProviders(random())])
    let left = ROWS_PER_ANSWER
    for await (const row of database.iterate({ prefix, after: start, limit: left }, signal)) {
      left--
      yield row
    }
    if (left === 0) return
    for await (const row of database.iterate({ prefix, limit: left }, signal)) {
      if (Buffer.compare(row[0], start) > 0) return
      yield row
    }
  }

  /**
   * One step of the clean-up: reads up to CLEANUP_ROWS claims and removes the expired ones. `done` when it came to the end
   * of the store; the next step then begins at its start.
   */
  cleanUp(signal?: AbortSignal): Promise<{ removed: number; done: boolean }> {
    return this.#exclusive(() => this.#cleanUpStep(signal))
  }

  /** Resolves when all that was asked so far is written or has failed. */
  async idle(): Promise<void> {
    while (this.#draining) await this.#writing
    await this.#writing
  }

  /** Runs `step` when nothing else writes. */
  #exclusive<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#writing.then(step)
    this.#writing = turn.then(
      () => undefined,
      () => undefined
    )
    return turn
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writeSome(this.#waiting.splice(0, BATCHES_PER_WRITE))
    } finally {
      this.#draining = false
    }
  }

  async #writeSome(group: Waiting[]): Promise<void> {
    try {
      const round = this.#newRound()
      const verdicts: Verdict[][] = []
      for (const { batch } of group) verdicts.push(await this.#judge(batch, round))
      if (round.operations.length > 0) {
        round.operations.push(...this.#countRows(round))
        await this.#modules.database.write(round.operations, { sync: true })
      }
      for (const [i, { resolve }] of group.entries()) resolve(verdicts[i]!)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  #newRound(): WriteRound {
    return {
      now: this.#modules.clock.now(),
      totals: this.totals(),
      providers: new Map(),
      added: new Set(),
      operations: []
    }
  }

  /** Decides on each key of a batch and adds the rows of the accepted ones to the round. */
  async #judge(batch: ClaimBatch, round: WriteRound): Promise<Verdict[]> {
    const rowKeys = batch.keys.map(key => claimRowKey(key, batch.provider))
    const existing = await this.#modules.database.getMany(rowKeys)
    const isSelf = Buffer.compare(batch.provider, this.#options.self) === 0
    const provider = this.#providerRow(batch, round)
    const value = encodeClaim({
      receivedAt: round.now,
      expiresAt: round.now + Math.min(batch.lifetimeMs, CLAIM_LIFETIME_MS)
    })
    return batch.keys.map((key, i) => {
      const rowKey = rowKeys[i]!
      const text = keyText(rowKey)
      const isNew = existing[i] === undefined && !round.added.has(text)
      const verdict = isSelf ? Verdict.Accepted : this.#verdict(key, provider, round, isNew)
      if (verdict !== Verdict.Accepted) return verdict
      if (isNew) {
        if (provider.claims === 0) round.totals.providers++
        provider.claims++
        round.totals.claims++
        round.added.add(text)
      }
      round.operations.push({ type: 'put', key: rowKey, value })
      return verdict
    })
  }

  #verdict(key: Uint8Array, provider: ProviderRow, round: WriteRound, isNew: boolean): Verdict {
    const limits = this.#limits
    if (!this.#options.isNear(key)) return Verdict.NotNear
    if (!isNew) return Verdict.Accepted
    if (provider.claims >= limits.claimsPerProvider) return Verdict.ProviderFull
    if (round.totals.claims >= limits.claims) return Verdict.StoreFull
    if (provider.claims === 0 && round.totals.providers >= limits.providers) return Verdict.StoreFull
    return Verdict.Accepted
  }

  /** The provider's row as this round leaves it; the peer record with the larger sequence number stays. */
  #providerRow(batch: ClaimBatch, round: WriteRound): ProviderRow {
    const row = this.#loadProvider(batch.provider, round)
    if (row.claims === 0 || batch.sequence >= row.sequence) {
      row.peerRecord = batch.peerRecord
      row.sequence = batch.sequence
    }
    return row
  }

  #loadProvider(provider: Uint8Array, round: WriteRound): ProviderRow {
    const text = keyText(provider)
    const known = round.providers.get(text)
    if (known !== undefined) return known
    const stored = this.#modules.database.get(providerRowKey(provider))
    const row =
      stored === undefined
        ? { claims: 0, sequence: 0n, peerRecord: new Uint8Array() }
        : decodeProvider(stored)
    round.providers.set(text, row)
    return row
  }

  /** The rows of counts that go with a round's claims. */
  #countRows(round: WriteRound): WriteOperation[] {
    const rows: WriteOperation[] = []
    for (const [text, row] of round.providers) {
      const key = providerRowKey(Buffer.from(text, 'hex'))
      if (row.claims > 0) rows.push({ type: 'put', key, value: encodeProvider(row) })
      else rows.push({ type: 'del', key })
    }
    rows.push({ type: 'put', key: totalsRowKey, value: encodeTotals(round.totals) })
    return rows
  }

  async #cleanUpStep(signal?: AbortSignal): Promise<{ removed: number; done: boolean }> {
    const { database, log } = this.#modules
    const round = this.#newRound()
    const range = { prefix: claimPrefix(), limit: CLEANUP_ROWS }
    let rows = 0
    let last = this.#cursor
    for await (const [rowKey, value] of database.iterate(
      this.#cursor === undefined ? range : { ...range, after: this.#cursor },
      signal
    )) {
      rows++
      last = rowKey
      if (decodeClaim(value).expiresAt > round.now) continue
      const provider = this.#loadProvider(providerOfClaim(rowKey), round)
      provider.claims--
      round.totals.claims--
      if (provider.claims === 0) round.totals.providers--
      round.operations.push({ type: 'del', key: rowKey })
    }
    const removed = round.operations.length
    if (removed > 0) {
      await database.write([...round.operations, ...this.#countRows(round)], { sync: false })
      log.debug({ removed }, 'removed expired provider claims')
    }
    const done = rows < CLEANUP_ROWS
    this.#cursor = done ? undefined : last
    return { removed, done }
  }
}
