import type { Database, KeyRange, WriteOperation } from '../../../library/index.ts'
import { lowerBound } from '../../../testnet/simulator/rows.ts'

const text = (key: Uint8Array): string => Buffer.from(key).toString('hex')
const bytes = (key: string): Uint8Array => Buffer.from(key, 'hex')

/** A Database in memory: what discovery asks of LevelDB, in a few lines. */
export class MemoryDatabase implements Database {
  readonly rows = new Map<string, Uint8Array>()
  writes = 0
  /** Thrown by the next write. */
  failure: Error | undefined
  #sorted: string[] | undefined

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(text(key))
  }

  async getMany(keys: Uint8Array[]): Promise<Array<Uint8Array | undefined>> {
    return keys.map(key => this.get(key))
  }

  async *iterate({
    prefix,
    after,
    limit = Infinity,
    reverse = false
  }: KeyRange): AsyncGenerator<[Uint8Array, Uint8Array]> {
    this.#sorted ??= [...this.rows.keys()].sort()
    const keys = this.#sorted
    const wanted = text(prefix)
    // Key texts are hexadecimal: 'g' is after all that can follow the prefix.
    const from = after === undefined ? `${wanted}${reverse ? 'g' : ''}` : text(after)
    const step = reverse ? -1 : 1
    let left = limit
    for (
      let i = lowerBound(keys, from) - (reverse ? 1 : 0);
      i >= 0 && i < keys.length && left > 0;
      i += step
    ) {
      const key = keys[i]!
      if (!key.startsWith(wanted)) return
      if (after !== undefined && key === from) continue
      const value = this.rows.get(key)
      if (value === undefined) continue
      left--
      yield [bytes(key), value]
    }
  }

  async write(operations: WriteOperation[]): Promise<void> {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure
    this.writes++
    for (const operation of operations) {
      const key = text(operation.key)
      if (operation.type === 'del' || !this.rows.has(key)) this.#sorted = undefined
      if (operation.type === 'del') this.rows.delete(key)
      else this.rows.set(key, Uint8Array.from(operation.value))
    }
  }
}
