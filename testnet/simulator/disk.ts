import type {
  DatabaseReader,
  DatabaseSnapshot,
  DatabaseWriter,
  KeyRange,
  WriteOperation
} from '../../library/index.ts'
import type { Needles } from './needles.ts'
import { Rows } from './rows.ts'

type Row = [string, Uint8Array | undefined]
/** What rows were before they changed. */
type Undo = Map<string, Uint8Array | undefined>

/**
 * The database of a simulated node: atomic batches, snapshots, and what a crash leaves of it. A batch takes time; what was not on
 * disk by then never was, and what was written without `sync` goes with a crash.
 */
export class Disk implements DatabaseWriter {
  readonly #families = new Map<string, Rows>()
  readonly #snapshots = new Set<Undo>()
  readonly #unsynced: Undo = new Map()
  readonly #reader = readerOf(key => this.#families.get(familyOf(key))?.get(key), this.#keysOf.bind(this))
  /** What is kept of a value, which its writer may change later: a copy, or bytes that are equal and will not change. */
  keep: (key: Uint8Array, value: Uint8Array) => Uint8Array = (_key, value) => Uint8Array.from(value)
  /** Takes as long as a batch does, and for ever once the node is down. */
  wait: () => Promise<void> = async () => undefined
  /** Called with the key of every row that comes, changes or goes, and what it was before. */
  onRow: (key: string, before: Uint8Array | undefined) => void = () => undefined
  /** Called when a batch is in the database, before its writer knows. */
  onWritten: () => void = () => undefined

  get openSnapshots(): number {
    return this.#snapshots.size
  }

  /** A copy of what is on disk now: a backup, or another home. */
  copy(): Disk {
    const copy = new Disk()
    for (const [family, rows] of this.#families) copy.#families.set(family, new Rows(rows.entries()))
    return copy
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#reader.get(key)
  }

  getMany(keys: Uint8Array[]): Promise<Array<Uint8Array | undefined>> {
    return this.#reader.getMany(keys)
  }

  iterate(range: KeyRange): AsyncIterable<[Uint8Array, Uint8Array]> {
    return this.#reader.iterate(range)
  }

  /** Whether any row has one of some byte strings in it, as they are or in hex. */
  mentions(needles: Needles): boolean {
    for (const rows of this.#families.values())
      for (const [key, value] of rows.entries())
        if (needles.isIn(Buffer.from(key, 'latin1')) || needles.isIn(value)) return true
    return false
  }

  /** Keys of rows that begin with `prefix`, in order. */
  keysOf(prefix: Uint8Array): Uint8Array[] {
    return this.#keysOf(textOf(prefix)).map(bytesOf)
  }

  async batch(operations: WriteOperation[], { sync }: { sync: boolean }): Promise<void> {
    await this.wait()
    for (const operation of operations)
      this.#set([
        textOf(operation.key),
        operation.type === 'put' ? this.keep(operation.key, operation.value) : undefined
      ])
    if (sync) this.#unsynced.clear()
    this.onWritten()
    // On disk, and nobody knows: a crash may come here too.
    await this.wait()
  }

  async clear(prefix: Uint8Array): Promise<void> {
    const start = textOf(prefix)
    for (const key of this.#keysOf(start)) this.#set([key, undefined])
  }

  snapshot(): DatabaseSnapshot {
    const undo: Undo = new Map()
    this.#snapshots.add(undo)
    const get = (key: string): Uint8Array | undefined =>
      undo.has(key) ? undo.get(key) : this.#families.get(familyOf(key))?.get(key)
    const keysOf = (prefix: string): string[] => {
      const changed = [...undo.keys()].filter(key => key.startsWith(prefix))
      if (changed.length === 0) return this.#keysOf(prefix)
      const keys = new Set([...this.#keysOf(prefix), ...changed])
      return [...keys].filter(key => get(key) !== undefined).sort()
    }
    const reader = readerOf(get, keysOf)
    return { ...reader, close: async () => void this.#snapshots.delete(undo) }
  }

  /** The node is gone: so are its snapshots, and what was not synced. */
  crash(): void {
    this.#snapshots.clear()
    const lost = [...this.#unsynced]
    for (const row of lost) this.#set(row)
    this.#unsynced.clear()
  }

  #set([key, value]: Row): void {
    const family = familyOf(key)
    const rows = this.#families.get(family) ?? new Rows()
    this.#families.set(family, rows)
    const before = rows.get(key)
    for (const undo of [...this.#snapshots, this.#unsynced]) if (!undo.has(key)) undo.set(key, before)
    this.onRow(key, before)
    if (value === undefined) rows.delete(key)
    else rows.set(key, value)
  }

  #keysOf(prefix: string): string[] {
    return this.#families.get(familyOf(prefix))?.keysOf(prefix) ?? []
  }
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
const bytesOf = (key: string): Uint8Array => Uint8Array.from(Buffer.from(key, 'latin1'))
/** What a key begins with (KeyFamily), without the slash behind it if there is one. */
const familyOf = (key: string): string => key.slice(0, key[1] !== '/' && key[2] === '/' ? 2 : 1)

function readerOf(
  getText: (key: string) => Uint8Array | undefined,
  /** In order. */
  keysOf: (prefix: string) => string[]
): DatabaseReader {
  const get = (key: Uint8Array): Uint8Array | undefined => getText(textOf(key))
  return {
    get,
    getMany: async keys => keys.map(get),
    async *iterate({ prefix, after, limit, reverse = false }) {
      const from = after === undefined ? undefined : textOf(after)
      const keys = keysOf(textOf(prefix))
      if (reverse) keys.reverse()
      const isAfter = (key: string): boolean => from === undefined || (reverse ? key < from : key > from)
      const chosen = keys.filter(isAfter).slice(0, limit)
      for (const [key, value] of chosen.map(key => [key, getText(key)!] as const)) yield [bytesOf(key), value]
    }
  }
}
