/**
 * Checking the tree of a library against its records: every node that the top leads to is read and hashed again, every record in
 * a bucket must be a member of the library and stand under its own key, no member may be missing, and no row may be left that
 * nothing leads to. Nothing is changed; what is wrong is named.
 */
import { plural, toCatalogError } from '../../base/index.ts'
import {
  type DatabaseReader,
  isMember,
  keyOfStored,
  readLibraryState,
  readMemberHashes,
  type Slice
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { type Entries, entryCount, entryHash, entryKey } from './entries.ts'
import { childAt, INTERIOR_BYTES, type NodeRef, type TreeNode } from './node.ts'
import { childPath, FAN_OUT, type Path } from './path.ts'
import { nodesPrefix } from './rows.ts'
import { openTree, type StoredTree } from './stored-tree.ts'
import { findRecord, readNode } from './view.ts'

/** Problems that one report lists; a whole tree gone bad needs no longer list. */
const MAX_LISTED_PROBLEMS = 100

export interface TreeReport {
  /** True when the tree is what its records make it. */
  ok: boolean
  /** Of the set, in hex; absent when nothing of the tree can be read. */
  root?: string
  /** Seen in buckets, as are the nodes. */
  records: number
  nodes: number
  /** Bytes of all nodes. */
  sizeBytes: number
  /** The first of what is wrong, a sentence each. */
  problems: string[]
  /** All that is wrong. */
  problemCount: number
}

export interface CheckModules {
  /** Shows one state, as a snapshot does. */
  reader: DatabaseReader
  slice: Slice
}

/** Checks the tree of a library. Rejects only with what the database itself throws. */
export async function checkTree(modules: CheckModules, libraryId: string): Promise<TreeReport> {
  const check = new TreeCheck(modules, libraryId)
  await check.run()
  return check.report
}

class TreeCheck {
  readonly report: TreeReport = {
    ok: true,
    records: 0,
    nodes: 0,
    sizeBytes: 0,
    problems: [],
    problemCount: 0
  }
  readonly #modules: CheckModules
  readonly #libraryId: string

  constructor(modules: CheckModules, libraryId: string) {
    this.#modules = modules
    this.#libraryId = libraryId
  }

  async run(): Promise<void> {
    const { reader } = this.#modules
    const tree = this.#orProblem(() => openTree(reader, this.#libraryId))
    if (tree === undefined) return
    this.report.root = Buffer.from(tree.root).toString('hex')
    const { revision } = readLibraryState(reader, this.#libraryId)
    if (tree.row.revision !== revision)
      this.#problem(`the tree is of revision ${tree.row.revision}, the library of ${revision}`)
    if (tree.top !== undefined) await this.#node(tree, '', tree.top)
    await this.#countRows()
    await this.#findMissing(tree)
  }

  /** What cannot be read is left out with all below it; the members that are missed for it are named by themselves. */
  async #node(tree: StoredTree, path: Path, ref: NodeRef): Promise<void> {
    await this.#giveWay()
    const node = this.#orProblem(() => readNode(tree.nodes, path, ref))
    if (node === undefined) return
    this.#count(node)
    if (node.kind === 'bucket') {
      if (entryCount(node.entries) !== ref.count)
        this.#problem(
          `the node ${path} has ${entryCount(node.entries)} records, the one above says ${ref.count}`
        )
      this.#bucket(path, node.entries)
      return
    }
    for (let digit = 0; digit < FAN_OUT; digit++) {
      const child = childAt(node.slots, digit)
      if (child !== undefined) await this.#node(tree, childPath(path, digit), child)
    }
  }

  #count(node: TreeNode): void {
    this.report.nodes++
    if (node.kind === 'bucket') this.report.records += entryCount(node.entries)
    this.report.sizeBytes += node.kind === 'bucket' ? 1 + node.entries.byteLength : INTERIOR_BYTES
  }

  #bucket(path: Path, entries: Entries): void {
    const { reader } = this.#modules
    for (let index = 0; index < entryCount(entries); index++) {
      const recHash = entryHash(entries, index)
      const name = `the record ${Buffer.from(recHash).toString('hex')} in the node ${path}`
      const key = keyOfStored(reader, recHash)
      if (!isMember(reader, this.#libraryId, recHash)) this.#problem(`${name} is not in the library`)
      else if (key === undefined) this.#problem(`${name} is lost or damaged`)
      else if (!bytesEqual(key, entryKey(entries, index)))
        this.#problem(`${name} stands under the key of another`)
    }
  }

  async #countRows(): Promise<void> {
    let rows = 0
    for await (const _ of this.#modules.reader.iterate({ prefix: nodesPrefix(this.#libraryId) })) {
      rows++
      await this.#giveWay()
    }
    const extra = rows - this.report.nodes
    if (extra > 0) this.#problem(`nothing leads to ${plural(extra, 'node')}`)
  }

  /** Members that the tree has not. When they are as many as its records, which are all members, there are none. */
  async #findMissing(tree: StoredTree): Promise<void> {
    const { reader } = this.#modules
    let members = 0
    for await (const _ of readMemberHashes(reader, this.#libraryId)) members++
    if (members === this.report.records) return
    for await (const recHash of readMemberHashes(reader, this.#libraryId)) {
      await this.#giveWay()
      const key = keyOfStored(reader, recHash)
      const found = key && this.#find(tree, key)
      if (found === undefined || !bytesEqual(found, recHash))
        this.#problem(`the record ${Buffer.from(recHash).toString('hex')} is not in the tree`)
    }
  }

  /** Undefined also when a node on the way cannot be read: that is a problem already. */
  #find(tree: StoredTree, trieKey: Uint8Array): Uint8Array | undefined {
    try {
      return findRecord(tree, trieKey)
    } catch (thrown) {
      if (toCatalogError(thrown).code !== 'TREE_DAMAGED') throw thrown
      return undefined
    }
  }

  #orProblem<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (thrown) {
      const { code, message } = toCatalogError(thrown)
      if (code !== 'TREE_DAMAGED') throw thrown
      this.#problem(message)
      return undefined
    }
  }

  #problem(what: string): void {
    this.report.ok = false
    this.report.problemCount++
    if (this.report.problems.length < MAX_LISTED_PROBLEMS) this.report.problems.push(what)
  }

  async #giveWay(): Promise<void> {
    const { slice } = this.#modules
    if (slice.due()) await slice.pause()
  }
}
