import {
  type AccessList,
  accessListKey,
  type DatabaseReader,
  decodeAccessList,
  HOME_LIBRARY,
  KeyFamily,
  makeKey
} from '../../library/index.ts'
import {
  copyName,
  findRecord,
  type Head,
  type NodeCache,
  openTree,
  readFollowed,
  type SketchedRecord,
  type StoredTree
} from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Disk } from './disk.ts'
import { type SaidHead, sayingOf } from './heads.ts'
import { homeIdOf, TEAM_LIBRARY, teamIdOf } from './libraries.ts'
import { hex, replaces, type SetRecord, type Verifier } from './records.ts'
import { listRecords } from './tree-records.ts'

export interface HomeModules {
  disk: Disk
  verifier: Verifier
  /** Wall time of the node. */
  now: () => number
}

/** A copy of another node's library. */
export interface LibraryCopy {
  readonly library: Uint8Array
  /** Its name here. */
  readonly libraryId: string
  readonly head: Head
  readonly root: Uint8Array
}

export const rowOf = (recHash: Uint8Array): Uint8Array => makeKey(KeyFamily.Record, recHash)

/** What is in the home of a simulated node: its own set, its closed library, copies and heads, as they are on its disk. */
export class HomeReader {
  protected readonly modules: HomeModules
  protected readonly cache: NodeCache
  /** Public key of the node. */
  protected readonly writer: Uint8Array
  /** By which others know the own set. */
  readonly libraryId: Uint8Array

  constructor(modules: HomeModules, { cache, writer }: { cache: NodeCache; writer: Uint8Array }) {
    this.modules = modules
    this.cache = cache
    this.writer = writer
    this.libraryId = homeIdOf(writer)
  }

  get root(): Uint8Array {
    return this.tree(this.modules.disk).root
  }

  get count(): number {
    return this.tree(this.modules.disk).top?.count ?? 0
  }

  /** The own set. */
  protected tree(reader: DatabaseReader): StoredTree {
    return openTree(reader, HOME_LIBRARY, this.cache)
  }

  /** All records as they are now, by trieKey. */
  records(): SetRecord[] {
    return this.recordsOf(HOME_LIBRARY)
  }

  /** The first of some records that is not here, nor one that has replaced it. */
  missing(records: Iterable<SetRecord>): SetRecord | undefined {
    const tree = this.tree(this.modules.disk)
    for (const record of records) {
      const here = this.find(tree, record.trieKey)
      const isHere =
        here !== undefined && (bytesEqual(here.recHash, record.recHash) || !replaces(record, here))
      if (!isHere) return record
    }
    return undefined
  }

  protected find(tree: StoredTree, trieKey: Uint8Array): SetRecord | undefined {
    const { disk, verifier } = this.modules
    const recHash = findRecord(tree, trieKey)
    return recHash && (verifier.find(recHash) ?? verifier.read(readBytes(disk, recHash)))
  }

  /** Whether the own set has this very record. */
  has({ trieKey, recHash }: SetRecord): boolean {
    const here = findRecord(this.tree(this.modules.disk), trieKey)
    return here !== undefined && bytesEqual(here, recHash)
  }

  /** Whether the own set has something under the key of a record. */
  hasKey({ trieKey }: SetRecord): boolean {
    return findRecord(this.tree(this.modules.disk), trieKey) !== undefined
  }

  /** Of all records of the own set, in hex. */
  *recHashes(): Generator<string> {
    for (const { recHash } of listRecords(this.tree(this.modules.disk))) yield hex(recHash)
  }

  /** Whether a record is on the disk, in whatever library. */
  stores({ recHash }: Pick<SetRecord, 'recHash'>): boolean {
    return this.modules.disk.get(rowOf(recHash)) !== undefined
  }

  /** The closed library of this node as it is now, and whom it is for; undefined while there is none. */
  team(): { readonly root: Uint8Array; readonly list: AccessList } | undefined {
    const { writer } = this
    const { disk } = this.modules
    const tree = openTree(disk, TEAM_LIBRARY, this.cache)
    const recHash = findRecord(tree, accessListKey(writer, teamIdOf(writer)))
    return recHash && { root: tree.root, list: decodeAccessList(readBytes(disk, recHash)) }
  }

  /** Whether some library, or a copy of one that counts, has a record of any kind. */
  holds({ trieKey, recHash }: SketchedRecord): boolean {
    const { disk } = this.modules
    return this.#libraryIds().some(libraryId => {
      const here = findRecord(openTree(disk, libraryId, this.cache), trieKey)
      return here !== undefined && bytesEqual(here, recHash)
    })
  }

  /** Hash of a record that some library, or a copy of one that counts, has and the disk has not. */
  unstored(): Uint8Array | undefined {
    const { disk } = this.modules
    for (const libraryId of this.#libraryIds())
      for (const { recHash } of listRecords(openTree(disk, libraryId, this.cache)))
        if (disk.get(rowOf(recHash)) === undefined) return recHash
    return undefined
  }

  #libraryIds(): string[] {
    const copies = this.modules.disk.keysOf(makeKey(KeyFamily.Followed)).flatMap(key => {
      const library = key.subarray(KeyFamily.Followed.length)
      return this.copyOf(library)?.libraryId ?? []
    })
    return [HOME_LIBRARY, TEAM_LIBRARY, ...copies]
  }

  /** The copy of a library that counts, and the head that it is equal to; undefined while there is none. */
  copyOf(library: Uint8Array): LibraryCopy | undefined {
    const { disk } = this.modules
    const row = readFollowed(disk, library)
    if (row?.head === undefined || row.copy === 0) return undefined
    const libraryId = copyName(library, row.copy, row)
    return { library, libraryId, head: row.head, root: openTree(disk, libraryId).root }
  }

  /** Records of a library by its name here. */
  recordsOf(libraryId: string): SetRecord[] {
    const { disk, verifier } = this.modules
    return [...listRecords(openTree(disk, libraryId))].map(({ recHash }) =>
      verifier.read(readBytes(disk, recHash))
    )
  }

  /** The last head that this node has signed. */
  head(): SaidHead | undefined {
    return this.headOf(this.libraryId, this.writer)
  }

  /** The last heads of all its libraries. */
  heads(): SaidHead[] {
    const { writer } = this
    return [this.head(), this.headOf(teamIdOf(writer), writer)].filter(head => head !== undefined)
  }

  /** The last head that is known of a writer. Was verified before it was stored, and this disk does not rot. */
  headOf(library: Uint8Array, writer: Uint8Array): SaidHead | undefined {
    const stored = this.modules.disk.get(makeKey(KeyFamily.Head, library, writer))
    return stored && sayingOf(stored)
  }
}

export function readBytes(reader: DatabaseReader, recHash: Uint8Array): Uint8Array {
  const bytes = reader.get(rowOf(recHash))
  if (bytes === undefined) throw new Error(`the record ${hex(recHash)} is in the tree and not on the disk`)
  return bytes
}
