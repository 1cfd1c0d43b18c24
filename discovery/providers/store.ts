import { CatalogError, type Clock, type Logger } from '../../base/index.ts'
import type { Database } from '../../library/index.ts'
import type { Verdict } from '../../protocols/index.ts'
import { xor } from '../distance.ts'
import { kademliaId } from '../keys.ts'
import { Admission, type AdmissionOptions, type ClaimBatch } from './admission.ts'
import { FAMILIES } from './families.ts'
import {
  BATCHES_PER_WRITE,
  CLEANUP_ROWS,
  PROVIDER_LIMITS,
  type ProviderLimits,
  ROWS_PER_ANSWER
} from './limits.ts'
import { readCounts, WriteRound } from './round.ts'
import {
  ClaimGroup,
  type CountsRow,
  claimPrefix,
  claimRowKey,
  decodeClaim,
  decodeProvider,
  placeAmongProviders,
  providerOfClaim,
  providerRowKey,
  totalsRowKey
} from './rows.ts'

/**
 * Who claims to hold what: the records that others keep here because this node is near their keys, and the node's own.
 *
 * A record is (key, provider, its signed addresses, expiry). The newest claim of a provider replaces its older one; an
 * expired one is ignored by readers and removed by the clean-up, which goes round the store in small steps. Writes are
 * judged one after the other, in batches (`Admission`): all that came while the last write ran shares the next one and its
 * fsync. Counts stand in the database beside what they count, in the same atomic write, so a crash cannot make them wrong.
 * A full store takes a claim in exchange for a farther one (`Eviction`).
 */
export interface ProviderStoreModules {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1): which claims of a crowded key are told, where expired ones are looked for. */
  readonly random: () => number
  /** Told how many claims a full store gave up for nearer ones, each time. */
  readonly onEvict?: (claims: number) => void
}

export interface ProviderStoreOptions {
  /** Multihash of this node's own peer id: its claims have no limits. */
  readonly self: Uint8Array
  /** Whether this node is near enough to a key to keep claims of others for it. */
  readonly isNear: (key: Uint8Array) => boolean
  readonly limits?: ProviderLimits
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

export class ProviderStore {
  readonly #modules: ProviderStoreModules
  readonly #options: AdmissionOptions
  readonly #selfId: Uint8Array
  readonly #waiting: Waiting[] = []
  /** The writer: the clean-up and the batches take turns, since both change the counts. */
  #writing: Promise<void> = Promise.resolve()
  #draining = false
  /** Where the clean-up goes on. */
  #cursor: Uint8Array | undefined

  constructor(modules: ProviderStoreModules, options: ProviderStoreOptions) {
    this.#modules = modules
    this.#options = { ...options, limits: options.limits ?? PROVIDER_LIMITS }
    this.#selfId = kademliaId(options.self)
  }

  /** Claims of others and their providers in the store, expired ones that were not removed yet included. */
  totals(): CountsRow {
    return readCounts(this.#modules.database, totalsRowKey)
  }

  /** Judges and keeps claims; resolves when they are on disk, with one verdict for each key. BUSY when too many wait. */
  add(batch: ClaimBatch): Promise<Verdict[]> {
    const { waitingBatches } = this.#options.limits
    if (this.#waiting.length >= waitingBatches)
      return Promise.reject(
        new CatalogError('BUSY', `${waitingBatches} batches of provider claims already wait`)
      )
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject })
      if (this.#draining) return
      this.#draining = true
      void this.#exclusive(() => this.#drain())
    })
  }

  /** The valid claims for a key, newest first: this node's own, and a random part of the others that the bounds leave no room for. */
  async get(key: Uint8Array, bounds: AnswerBounds, signal?: AbortSignal): Promise<ProviderRecord[]> {
    const { database, clock, random } = this.#modules
    const now = clock.now()
    const found: Array<{ provider: Uint8Array; receivedAt: number; expiresAt: number; order: number }> = []
    for await (const [rowKey, value] of this.#someClaims(key, signal)) {
      const claim = decodeClaim(value)
      const provider = providerOfClaim(rowKey)
      const order = Buffer.compare(provider, this.#options.self) === 0 ? -1 : random()
      if (claim.expiresAt > now) found.push({ provider, ...claim, order })
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
   * This node's own claim of a key, then up to ROWS_PER_ANSWER of others, from a random place among them and round to it: who
   * makes itself the first ids of all must not be the only one who is told.
   */
  async *#someClaims(key: Uint8Array, signal?: AbortSignal): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const { database, random } = this.#modules
    const distance = xor(this.#selfId, kademliaId(key))
    const ownKey = claimRowKey(ClaimGroup.Own, distance, this.#options.self)
    const own = database.get(ownKey)
    if (own !== undefined) yield [ownKey, own]
    const prefix = claimPrefix(ClaimGroup.Others, distance)
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
    const { database, clock, onEvict } = this.#modules
    try {
      const now = clock.now()
      const round = this.#newRound()
      const admission = new Admission(this.#modules, round, this.#options)
      const verdicts: Verdict[][] = []
      for (const { batch } of group) verdicts.push(await admission.judge(batch, now))
      if (round.size > 0) await database.write(round.operations(), { sync: true })
      if (admission.eviction.evicted > 0) onEvict?.(admission.eviction.evicted)
      for (const [i, { resolve }] of group.entries()) resolve(verdicts[i]!)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  #newRound(): WriteRound {
    return new WriteRound(this.#modules.database, this.#options.self)
  }

  async #cleanUpStep(signal?: AbortSignal): Promise<{ removed: number; done: boolean }> {
    const { database, clock, log } = this.#modules
    const now = clock.now()
    const round = this.#newRound()
    const range = { prefix: FAMILIES.claim, limit: CLEANUP_ROWS }
    let rows = 0
    let last = this.#cursor
    for await (const [rowKey, value] of database.iterate(
      this.#cursor === undefined ? range : { ...range, after: this.#cursor },
      signal
    )) {
      rows++
      last = rowKey
      if (decodeClaim(value).expiresAt <= now) round.remove(rowKey)
    }
    const removed = round.size
    if (removed > 0) {
      await database.write(round.operations(), { sync: false })
      log.debug({ removed }, 'removed expired provider claims')
    }
    const done = rows < CLEANUP_ROWS
    this.#cursor = done ? undefined : last
    return { removed, done }
  }
}
