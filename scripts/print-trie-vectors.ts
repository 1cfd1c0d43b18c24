/**
 * Prints the test vectors of the trie (test/fixtures/vectors/sync/trie.json, docs/sync.md): `node scripts/print-trie-vectors.ts`.
 *
 * The file is frozen. This script shows how it came to be and helps to add cases; what is in the file never changes.
 */
import {
  applyChanges,
  encodeBucket,
  encodeInterior,
  type Path,
  proveRecord,
  rootOf,
  slotsOf,
  type TreeChange,
  type TreeView
} from '../sync/index.ts'
import { sha256 } from '../trust/index.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))
const record = (number: number): TreeChange => ({
  trieKey: hashOf(`key ${number}`),
  recHash: hashOf(`record ${number}`)
})

function treeOf(records: number): TreeView & { rows: Map<Path, Uint8Array> } {
  const nodes = {
    get: (path: Path): Uint8Array => {
      throw new Error(`there is no node ${path}`)
    }
  }
  const changes = Array.from({ length: records }, (_, number) => record(number))
  const { top, changed } = applyChanges({ top: undefined, nodes }, changes)
  const rows = new Map(
    [...changed].flatMap(([path, node]) => (node === undefined ? [] : [[path, node.bytes]]))
  )
  return { top, nodes: { get: path => rows.get(path)! }, rows }
}

const SIZES = [0, 1, 2, 32, 33, 500, 10_000]
const PROVEN_SIZE = 500

function nodeCase(name: string, path: Path): object {
  const bytes = treeOf(PROVEN_SIZE).rows.get(path)!
  return { name, path, node: hex(bytes), hash: hex(sha256(bytes)) }
}

function proofCase(name: string, records: number, key: Uint8Array): object {
  const tree = treeOf(records)
  const number = Array.from({ length: records }, (_, at) => at).find(
    at => hex(record(at).trieKey) === hex(key)
  )
  return {
    name,
    records,
    root: hex(rootOf(tree.top)),
    trieKey: hex(key),
    ...(number === undefined ? {} : { recHash: hex(record(number).recHash!) }),
    proof: hex(proveRecord(tree, key))
  }
}

/** The first key without a record below `path`. */
function absentKey(path: Path, from: number): Uint8Array {
  for (let number = from; ; number++) {
    const key = hashOf(`key ${number}`)
    if (hex(key).startsWith(path)) return key
  }
}

/** 33 keys that share their first digit stand under one child of the top, so the other slots are empty. */
function oneSided(): { view: TreeView; changes: TreeChange[] } {
  const changes = Array.from({ length: 1000 }, (_, number) => record(number))
    .filter(({ trieKey }) => trieKey[0]! >> 4 === 5)
    .slice(0, 33)
  const empty: TreeView = { top: undefined, nodes: { get: () => new Uint8Array() } }
  const { top, changed } = applyChanges(empty, changes)
  return { view: { top, nodes: { get: path => changed.get(path)!.bytes } }, changes }
}

function oneSidedCase(): object {
  const { view, changes } = oneSided()
  const key = hashOf('key 1')
  return {
    name: 'a key under an empty slot',
    keys: changes.map(({ trieKey }) => hex(trieKey)),
    root: hex(rootOf(view.top)),
    trieKey: hex(key),
    proof: hex(proveRecord(view, key))
  }
}

const bucket = (...keys: Uint8Array[]): Uint8Array =>
  encodeBucket(Buffer.concat(keys.flatMap(key => [key, hashOf('a record')])))
const interior = (...counts: number[]): Uint8Array =>
  encodeInterior(slotsOf(counts.map(count => ({ count, hash: hashOf('a child') }))))
const [low, high] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]

const invalidNodes: Array<[string, Uint8Array]> = [
  ['no bytes', new Uint8Array()],
  ['an unknown kind', Uint8Array.of(2)],
  ['a bucket of no records', Uint8Array.of(0)],
  ['a bucket cut off', bucket(low).subarray(0, 64)],
  ['a bucket of 33 records', bucket(...Array.from({ length: 33 }, (_, at) => new Uint8Array(32).fill(at)))],
  ['keys out of order', bucket(high, low)],
  ['a key twice', bucket(low, low)],
  ['an interior node cut off', interior(40).subarray(0, 576)],
  ['an interior node over 32 records', interior(32)],
  ['an interior node over 2^32 records', interior(0xffff_ffff, 1)],
  ['a hash without records', interior(40, 0)],
  ['records without a hash', encodeInterior(slotsOf([{ count: 40, hash: new Uint8Array(32) }]))]
]

function invalidProofs(): Array<[string, Uint8Array]> {
  const proof = proveRecord(treeOf(PROVEN_SIZE), record(0).trieKey)
  const edited = (at: number, byte: number): Uint8Array => {
    const changed = Uint8Array.from(proof)
    changed[at] = byte
    return changed
  }
  return [
    ['no bytes', new Uint8Array()],
    ['a later version', edited(0, 2)],
    ['a byte missing', proof.subarray(0, -1)],
    ['a byte too many', Uint8Array.from([...proof, 0])],
    ['a depth of 65', edited(33, 65)],
    ['another key, of another bucket', edited(1, proof[1]! ^ 0x80)],
    ['another record', edited(proof.byteLength - 1, proof.at(-1)! ^ 1)],
    ['another hash beside the path', edited(34 + 35, proof[34 + 35]! ^ 1)],
    ['another count beside the path', edited(34 + 3, proof[34 + 3]! ^ 1)]
  ]
}

const vectors = {
  about:
    'The trie of docs/sync.md. Record i has trieKey = SHA-256("key i") and recHash = SHA-256("record i"). Frozen: cases are added, never changed.',
  roots: SIZES.map(records => ({ records, root: hex(rootOf(treeOf(records).top)) })),
  nodes: [nodeCase('the top of 500 records', ''), nodeCase('a bucket below it', '50')],
  proofs: [
    proofCase('a record that is there', PROVEN_SIZE, record(0).trieKey),
    proofCase('a key that its bucket lacks', PROVEN_SIZE, absentKey('5', PROVEN_SIZE)),
    proofCase('the empty set', 0, record(0).trieKey),
    oneSidedCase()
  ],
  invalidNodes: invalidNodes.map(([name, node]) => ({ name, node: hex(node) })),
  invalidProofs: {
    root: hex(rootOf(treeOf(PROVEN_SIZE).top)),
    proofs: invalidProofs().map(([name, proof]) => ({ name, proof: hex(proof) }))
  }
}
process.stdout.write(`${JSON.stringify(vectors, null, 2)}\n`)
