import type {
  DatabaseReader,
  DatabaseSnapshot,
  DatabaseWriter,
  KeyRange,
  WriteOperation
} from '../../library/index.ts'

type Row = [string, Uint8Array | undefined]
/** What rows were before they changed. */
type Undo = Map<string, Uint8Array | undefined>

/**
 * The database of a simulated node: atomic batches, snapshots, and what a crash leaves of it. A batch takes time; what was not on
 * disk by then never was, and what was written without `sync` goes with a crash.
 */
export class Disk implements DatabaseWriter {
  /** By family, then by key as text: a character for each byte, so that they sort alike. */
  readonly #families = new Map<string, Map<string, Uint8Array>>()
  readonly #snapshots = new Set<Undo>()
  readonly #unsynced: Undo = new Map()
  readonly #reader = readerOf(key => this.#families.get(familyOf(key))?.get(key), this.#keysOf.bind(this))
  /** Takes as long as a batch does, and for ever once the node is down. */
  wait: () => Promise<void> = async () => undefined
  /** Called when a batch is in the database, before its writer knows. */
  onWritten: () => void = () => undefined

  get openSnapshots(): number {
    return this.#snapshots.size
  }

  /** A copy of what is on disk now: a backup, or another home. */
  copy(): Disk {
    const copy = new Disk()
    for (const [family, rows] of this.#families) copy.#families.set(family, new Map(rows))
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

  /** Whether any row has these bytes in it, as they are or in hex. */
  mentions(bytes: Uint8Array): boolean {
    const forms = [textOf(bytes), Buffer.from(bytes).toString('hex')]
    for (const rows of this.#families.values())
      for (const [key, value] of rows)
        if (forms.some(form => key.includes(form) || Buffer.from(value).includes(form, 0, 'latin1')))
          return true
    return false
  }

  async batch(operations: WriteOperation[], { sync }: { sync: boolean }): Promise<void> {
    await this.wait()
    for (const operation of operations)
      this.#set([
        textOf(operation.key),
        operation.type === 'put' ? Uint8Array.from(operation.value) : undefined
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
    const keysOf = (prefix: string): string[] =>
      [
        ...new Set([...this.#keysOf(prefix), ...[...undo.keys()].filter(key => key.startsWith(prefix))])
      ].filter(key => get(key) !== undefined)
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
    const rows = this.#families.get(family) ?? new Map<string, Uint8Array>()
    this.#families.set(family, rows)
    for (const undo of [...this.#snapshots, this.#unsynced]) if (!undo.has(key)) undo.set(key, rows.get(key))
    if (value === undefined) rows.delete(key)
    else rows.set(key, value)
  }

  #keysOf(prefix: string): string[] {
    return [...(this.#families.get(familyOf(prefix))?.keys() ?? [])].filter(key => key.startsWith(prefix))
  }
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
/** Without the slash behind it, if there is one: what a key begins with (KeyFamily). */
const familyOf = (key: string): string => /^[a-z]{1,2}(?=\/)/.exec(key)?.[0] ?? key.slice(0, 1)

function readerOf(
  getText: (key: string) => Uint8Array | undefined,
  keysOf: (prefix: string) => string[]
): DatabaseReader {
  const get = (key: Uint8Array): Uint8Array | undefined => getText(textOf(key))
  return {
    get,
    getMany: async keys => keys.map(get),
    async *iterate({ prefix, after, limit, reverse = false }) {
      const from = after === undefined ? undefined : textOf(after)
      const keys = keysOf(textOf(prefix)).sort()
      if (reverse) keys.reverse()
      const isAfter = (key: string): boolean => from === undefined || (reverse ? key < from : key > from)
      const chosen = keys.filter(isAfter).slice(0, limit)
      for (const [key, value] of chosen.map(key => [key, getText(key)!] as const))
        yield [Uint8Array.from(Buffer.from(key, 'latin1')), value]
    }
  }
}
