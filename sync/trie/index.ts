/**
 * The trie: a Merkle tree over the records of one library, so that 32 bytes stand for the whole set and any two nodes find out
 * how their sets differ, or prove what is in one, without showing all of it. It knows two hashes of a record, the
 * trieKey that says where it belongs and the recHash that says which it is, and nothing of what a record says. The core is pure: a
 * view reads nodes through a function it is given, and an update gives back the nodes to write. docs/sync.md describes the nodes
 * and their hashes, test/fixtures/vectors/sync has frozen examples.
 */
export { buildTree, type NodeSink } from './build.ts'
export { checkTree, type TreeReport } from './check.ts'
export {
  ENTRY_BYTES,
  type Entries,
  entryCount,
  entryHash,
  entryKey,
  findEntry,
  HASH_BYTES
} from './entries.ts'
export {
  childAt,
  decodeNode,
  encodeBucket,
  encodeInterior,
  MAX_BUCKET_RECORDS,
  MAX_NODE_BYTES,
  MAX_RECORDS,
  type NodeRef,
  rootOf,
  type Slots,
  slotsOf,
  type TreeNode
} from './node.ts'
export { NodeCache } from './node-cache.ts'
export { childPath, digitAt, FAN_OUT, MAX_DEPTH, type Path, pathOf } from './path.ts'
export { MAX_PROOF_BYTES, type ProvenRecord, proveRecord, verifyProof } from './proof.ts'
export { type RebuildOptions, type RebuiltTree, rebuildTree } from './rebuild.ts'
export { readLibraryIds, type TreeRow } from './rows.ts'
export { openTree, type StoredTree } from './stored-tree.ts'
export { type PlannedTree, TreeStore } from './tree-store.ts'
export { applyChanges, type ChangedNode, type TreeChange, type TreeUpdate, updateSteps } from './update.ts'
export {
  childrenOf,
  countUnder,
  entriesOf,
  findRecord,
  iterateEntries,
  type NodeSource,
  type Subtree,
  type TreeView,
  topOf
} from './view.ts'
