import { CatalogError } from '../../base/index.ts'
import type { Database } from '../../library/index.ts'
import { keyText } from '../keys.ts'
import { FAMILIES } from '../providers/families.ts'

/** Keys that wait for peers: a node that imports more than this while it is alone leaves the rest to the sweep. */
export const MAX_PENDING = 100_000
/** Attempts for a key that has some holders, but fewer than it should; then the sweep looks after it. */
export const MAX_TRIES = 4

interface PendingKey {
  readonly key: Uint8Array
  tries: number
}

/**
 * Keys that were to be announced at once and are not yet where they should be, kept in the database: a node that published
 * while it was alone announces when it meets somebody, also after a restart.
 */
export class PendingKeys {
  readonly #database: Database
  readonly #keys = new Map<string, PendingKey>()

  private constructor(database: Database) {
    this.#database = database
  }

  static async load(database: Database, signal?: AbortSignal): Promise<PendingKeys> {
    const pending = new PendingKeys(database)
    for await (const [rowKey] of database.iterate({ prefix: FAMILIES.pending, limit: MAX_PENDING }, signal)) {
      const key = rowKey.slice(FAMILIES.pending.length)
      pending.#keys.set(keyText(key), { key, tries: 0 })
    }
    return pending
  }

  get size(): number {
    return this.#keys.size
  }

  /** The keys that wait. */
  all(): Uint8Array[] {
    return Array.from(this.#keys.values(), ({ key }) => key)
  }

  /** Remembers keys, on disk when it resolves. LIMIT_EXCEEDED when too many wait. */
  async add(keys: readonly Uint8Array[]): Promise<void> {
    const fresh = keys.filter(key => !this.#keys.has(keyText(key)))
    if (this.#keys.size + fresh.length > MAX_PENDING)
      throw new CatalogError('LIMIT_EXCEEDED', `${MAX_PENDING} keys already wait to be announced`)
    for (const key of fresh) this.#keys.set(keyText(key), { key, tries: 0 })
    const operations = fresh.map(key => ({
      type: 'put' as const,
      key: rowKeyOf(key),
      value: new Uint8Array()
    }))
    if (operations.length > 0) await this.#database.write(operations, { sync: true })
  }

  /** After an attempt: forgets the keys that are where they should be, and those tried often enough that have a holder. */
  async settle(
    attempts: ReadonlyArray<{ key: Uint8Array; holders: number; isDone: boolean }>
  ): Promise<void> {
    const over = attempts.filter(({ key, holders, isDone }) => {
      const pending = this.#keys.get(keyText(key))
      if (pending === undefined) return false
      if (holders > 0) pending.tries++
      return isDone || pending.tries >= MAX_TRIES
    })
    for (const { key } of over) this.#keys.delete(keyText(key))
    const operations = over.map(({ key }) => ({ type: 'del' as const, key: rowKeyOf(key) }))
    if (operations.length > 0) await this.#database.write(operations, { sync: false })
  }
}

const rowKeyOf = (key: Uint8Array): Uint8Array => Buffer.concat([FAMILIES.pending, key])
