import type { Database, WriteOperation } from '../../library/index.ts'
import { keyText } from '../keys.ts'
import {
  type CountsRow,
  decodeCounts,
  decodeProvider,
  encodeCounts,
  encodeProvider,
  networkRowKey,
  type ProviderRow,
  providerOfClaim,
  providerRowKey,
  totalsRowKey
} from './rows.ts'

/**
 * What one write of the provider store is about. Rows that are read or changed stay here until it is made, so that batches in
 * it see each other's effect, and the counts of provider, network and store go with the claims they count, in one atomic
 * write. This node's own claims count for itself only.
 */
export class WriteRound {
  readonly totals: CountsRow
  readonly #database: Database
  readonly #self: Uint8Array
  readonly #providers = new Map<string, ProviderRow>()
  readonly #networks = new Map<string, CountsRow>()
  /** Claims put (true) and removed (false) in this round, by row key. */
  readonly #changed = new Map<string, boolean>()
  readonly #operations: WriteOperation[] = []

  /** `self`: multihash of this node's peer id. */
  constructor(database: Database, self: Uint8Array) {
    this.#database = database
    this.#self = self
    this.totals = readCounts(database, totalsRowKey)
  }

  get size(): number {
    return this.#operations.length
  }

  /** Whether the claim was put (true) or removed (false) in this round; undefined when it was not touched. */
  changed(rowKey: Uint8Array): boolean | undefined {
    return this.#changed.get(keyText(rowKey))
  }

  /** The row of a provider as this round leaves it; one without claims when it is new. Change it in place. */
  provider(id: Uint8Array): ProviderRow {
    return cached(this.#providers, id, () => {
      const stored = this.#database.get(providerRowKey(id))
      return stored === undefined
        ? { claims: 0, sequence: 0n, network: new Uint8Array(), peerRecord: new Uint8Array() }
        : decodeProvider(stored)
    })
  }

  network(network: Uint8Array): CountsRow {
    return cached(this.#networks, network, () => readCounts(this.#database, networkRowKey(network)))
  }

  put(rowKey: Uint8Array, value: Uint8Array, isNew: boolean): void {
    if (isNew) {
      const id = providerOfClaim(rowKey)
      const provider = this.provider(id)
      provider.claims++
      for (const counts of this.#countsOf(id, provider)) {
        counts.claims++
        if (provider.claims === 1) counts.providers++
      }
    }
    this.#changed.set(keyText(rowKey), true)
    this.#operations.push({ type: 'put', key: rowKey, value })
  }

  /** Removes a claim that is in the store. */
  remove(rowKey: Uint8Array): void {
    const id = providerOfClaim(rowKey)
    const provider = this.provider(id)
    provider.claims--
    for (const counts of this.#countsOf(id, provider)) {
      counts.claims--
      if (provider.claims === 0) counts.providers--
    }
    this.#changed.set(keyText(rowKey), false)
    this.#operations.push({ type: 'del', key: rowKey })
  }

  /** Counts a provider's claims to another network from now on. */
  move(provider: ProviderRow, network: Uint8Array): void {
    const part = { claims: provider.claims, providers: provider.claims > 0 ? 1 : 0 }
    if (provider.network.length > 0) addTo(this.network(provider.network), part, -1)
    if (network.length > 0) addTo(this.network(network), part, 1)
    provider.network = network
  }

  /** All that is to be written, the counts included. */
  operations(): WriteOperation[] {
    const rows = [...this.#operations]
    for (const [text, row] of this.#providers)
      rows.push(counted(providerRowKey(Buffer.from(text, 'hex')), row, encodeProvider))
    for (const [text, row] of this.#networks)
      rows.push(counted(networkRowKey(Buffer.from(text, 'hex')), row, encodeCounts))
    rows.push({ type: 'put', key: totalsRowKey, value: encodeCounts(this.totals) })
    return rows
  }

  #countsOf(id: Uint8Array, { network }: ProviderRow): CountsRow[] {
    if (Buffer.compare(id, this.#self) === 0) return []
    return network.length === 0 ? [this.totals] : [this.totals, this.network(network)]
  }
}

/** The counts at that key; zeros where none were written. */
export function readCounts(database: Database, rowKey: Uint8Array): CountsRow {
  const row = database.get(rowKey)
  return row === undefined ? { claims: 0, providers: 0 } : decodeCounts(row)
}

function cached<T>(rows: Map<string, T>, key: Uint8Array, read: () => T): T {
  const text = keyText(key)
  let row = rows.get(text)
  if (row === undefined) {
    row = read()
    rows.set(text, row)
  }
  return row
}

function addTo(counts: CountsRow, part: CountsRow, factor: 1 | -1): void {
  counts.claims += factor * part.claims
  counts.providers += factor * part.providers
}

/** A row that goes when it counts nothing any more. */
function counted<T extends { claims: number }>(
  key: Uint8Array,
  row: T,
  encode: (row: T) => Uint8Array
): WriteOperation {
  return row.claims > 0 ? { type: 'put', key, value: encode(row) } : { type: 'del', key }
}
