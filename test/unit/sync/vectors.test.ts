/** The frozen vectors of docs/sync.md. When one of these fails, the code is wrong, not the file. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeNode, encodeBucket, encodeInterior, proveRecord, verifyProof } from '../../../sync/index.ts'
import { hashOf, hex, MemoryTree, record, unhex } from './tries.ts'

interface ProofCase {
  name: string
  /** Of the numbered records; absent when `keys` are given. */
  records?: number
  keys?: string[]
  root: string
  trieKey: string
  recHash?: string
  proof: string
}
interface TrieFile {
  roots: Array<{ records: number; root: string }>
  nodes: Array<{ name: string; path: string; node: string; hash: string }>
  proofs: ProofCase[]
  invalidNodes: Array<{ name: string; node: string }>
  invalidProofs: { root: string; proofs: Array<{ name: string; proof: string }> }
}

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/sync/trie.json', import.meta.url), 'utf8')
) as TrieFile

function treeOf({ records = 0, keys = [] }: { records?: number; keys?: string[] }): MemoryTree {
  const tree = new MemoryTree()
  const named = new Set(keys)
  const all = Array.from({ length: Math.max(records, keys.length > 0 ? 1000 : 0) }, (_, number) =>
    record(number)
  )
  tree.apply(all.filter(({ trieKey }) => named.size === 0 || named.has(hex(trieKey))))
  return tree
}

describe('the trie', () => {
  test.each(vectors.roots)('root of $records records', ({ records, root }) => {
    expect(treeOf({ records }).root).toBe(root)
  })

  test.each(vectors.nodes)('$name', ({ path, node, hash }) => {
    const bytes = unhex(node)
    expect(hex(hashOf(bytes))).toBe(hash)
    expect(hex(treeOf({ records: 500 }).get(path))).toBe(node)
    const decoded = decodeNode(bytes, path)
    expect(
      hex(decoded.kind === 'bucket' ? encodeBucket(decoded.entries) : encodeInterior(decoded.slots))
    ).toBe(node)
  })

  test.each(vectors.proofs)('proof: $name', vector => {
    const { root, trieKey, recHash, proof } = vector
    const tree = treeOf(vector)
    expect(tree.root).toBe(root)
    expect(hex(proveRecord(tree, unhex(trieKey)))).toBe(proof)
    expect(verifyProof(unhex(proof), unhex(root))).toEqual({
      trieKey: unhex(trieKey),
      recHash: recHash === undefined ? undefined : unhex(recHash),
      count: tree.top?.count ?? 0
    })
  })

  test.each(vectors.invalidNodes)('refuses the node: $name', ({ node }) => {
    expect(() => decodeNode(unhex(node))).toThrow(expect.objectContaining({ code: 'TREE_DAMAGED' }))
  })

  test.each(vectors.invalidProofs.proofs)('refuses the proof: $name', ({ proof }) => {
    expect(() => verifyProof(unhex(proof), unhex(vectors.invalidProofs.root))).toThrow(
      expect.objectContaining({ code: 'PROOF_INVALID' })
    )
  })
})
