import { encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_ROOT, hashBlock, idKey, nodeCid, rawCid } from '../../../library/content/blocks.ts'
import { MIN_CHUNK_BYTES } from '../../../library/content/chunker.ts'
import type { BlockSource } from '../../../library/content/reader.ts'
import {
  decodeNode,
  encodeNode,
  MANIFEST_FANOUT,
  TREE_FANOUT,
  TreeBuilder
} from '../../../library/content/tree.ts'
import { fileChunks, PageIndex } from '../../../library/content/tree-reader.ts'
import type { ChunkRef } from '../../../library/content/types.ts'

const chunk = (seed: number, lengthBytes = MIN_CHUNK_BYTES + (seed % 1000)): ChunkRef => ({
  id: hashBlock(Buffer.from(`chunk ${seed}`)),
  lengthBytes
})

/** A tree over `count` chunks, its nodes in a source. */
function build(
  count: number,
  fanout = TREE_FANOUT
): {
  root: ReturnType<typeof rawCid>
  sizeBytes: number
  source: BlockSource
  nodes: number
} {
  const stored = new Map<string, Uint8Array>()
  const builder = new TreeBuilder(fanout)
  for (let i = 0; i < count; i++)
    for (const { id, bytes } of builder.push(chunk(i))) stored.set(idKey(id), bytes)
  const { root, sizeBytes, nodes } = builder.finish()
  for (const { id, bytes } of nodes) stored.set(idKey(id), bytes)
  const source: BlockSource = {
    has: id => stored.has(idKey(id)),
    read: async id => stored.get(idKey(id))!
  }
  return { root, sizeBytes, source, nodes: stored.size }
}

async function collect(
  source: BlockSource,
  root: ReturnType<typeof rawCid>,
  sizeBytes: number
): Promise<ChunkRef[]> {
  const all: ChunkRef[] = []
  for await (const ref of fileChunks(source, root, sizeBytes)) all.push(ref)
  return all
}

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
  return 'nothing thrown'
}

describe('file tree', () => {
  test('the empty file and a file of one chunk have no node', () => {
    const empty = build(0)
    expect(empty.root.equals(EMPTY_ROOT)).toBe(true)
    expect(empty.nodes).toBe(0)
    const one = build(1)
    expect(one.root.equals(rawCid(chunk(0).id))).toBe(true)
    expect(one.nodes).toBe(0)
  })

  test.each([
    [2, 1],
    [TREE_FANOUT, 1],
    [TREE_FANOUT + 1, 3],
    [3 * TREE_FANOUT, 4],
    [3 * TREE_FANOUT + 5, 5]
  ])('%i chunks make %i nodes, read back in order', async (count, nodes) => {
    const tree = build(count)
    expect(tree.nodes).toBe(nodes)
    const all = await collect(tree.source, tree.root, tree.sizeBytes)
    expect(all.length).toBe(count)
    expect(all.every((ref, i) => Buffer.compare(ref.id, chunk(i).id) === 0)).toBe(true)
  })

  test.each([
    [2, 1],
    [MANIFEST_FANOUT, 1],
    [MANIFEST_FANOUT + 1, 3],
    [MANIFEST_FANOUT ** 2, MANIFEST_FANOUT + 1],
    [MANIFEST_FANOUT ** 2 + 1, MANIFEST_FANOUT + 4]
  ])('%i pages make %i nodes, found by position', async (count, nodes) => {
    const tree = build(count, MANIFEST_FANOUT)
    expect(tree.nodes).toBe(nodes)
    const index = await PageIndex.open(tree.source, tree.root)
    expect(index.leafCount).toBe(count)
    for (const at of [0, count - 1, Math.floor(count / 2), 1])
      expect(Buffer.compare((await index.leaf(at)).id, chunk(at).id)).toBe(0)
    await expect(index.leaf(count)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('a size that the tree does not have is refused', async () => {
    const tree = build(5)
    await expect(collect(tree.source, tree.root, tree.sizeBytes + 1)).rejects.toMatchObject({
      code: 'CONTENT_INVALID'
    })
    await expect(collect(tree.source, rawCid(chunk(0).id), 300_000)).rejects.toMatchObject({
      code: 'CONTENT_INVALID'
    })
    await expect(collect(tree.source, EMPTY_ROOT, 1)).rejects.toMatchObject({ code: 'CONTENT_INVALID' })
  })

  test('nodes of impossible shape are refused', () => {
    const children = [chunk(1), chunk(2)]
    const good = encodeNode(1, children)
    expect(decodeNode(good, { root: true }).children.length).toBe(2)
    const entries = Buffer.alloc(72, 1)
    const bad: Array<[string, Uint8Array]> = [
      ['too large', new Uint8Array(50_000)],
      ['not CBOR', Buffer.from('hello')],
      ['trailing byte', Buffer.concat([good, Buffer.from([0])])],
      ['an array', encode([1, 2])],
      ['level 0', encode({ count: 2, entries, level: 0, size: 2 })],
      ['level 9', encode({ count: 2, entries, level: 9, size: 2 })],
      ['count too large', encode({ count: 3, entries, level: 1, size: 2 })],
      ['size wrong', encode({ count: 2, entries: encodeEntries([5, 5]), level: 1, size: 11 })],
      ['child of no bytes', encode({ count: 2, entries: encodeEntries([0, 5]), level: 1, size: 5 })],
      ['chunk too long', encode({ count: 2, entries: encodeEntries([262_145, 5]), level: 1, size: 262_150 })],
      ['unknown field', encode({ count: 2, entries: encodeEntries([5, 5]), level: 1, size: 10, x: 1 })],
      ['fraction', encode({ count: 2, entries, level: 1.5, size: 2 })]
    ]
    for (const [what, bytes] of bad)
      expect(
        code(() => decodeNode(bytes, { root: true })),
        what
      ).toBe('CONTENT_INVALID')
  })

  test('a node must fit what its parent says', () => {
    const node = encodeNode(1, [chunk(1, 20_000), chunk(2, 20)])
    expect(code(() => decodeNode(node, { root: false, level: 2 }))).toBe('CONTENT_INVALID')
    expect(code(() => decodeNode(node, { root: false, sizeBytes: 20_021 }))).toBe('CONTENT_INVALID')
    expect(code(() => decodeNode(node, { root: false, full: true }))).toBe('CONTENT_INVALID')
    expect(code(() => decodeNode(encodeNode(1, [chunk(1)]), { root: true }))).toBe('CONTENT_INVALID')
    expect(decodeNode(node, { root: false, level: 1, sizeBytes: 20_020 }).sizeBytes).toBe(20_020)
  })

  test('only the last chunk of a file may be short', () => {
    const node = (...lengths: number[]): Uint8Array =>
      encodeNode(
        1,
        lengths.map((lengthBytes, i) => chunk(i, lengthBytes))
      )
    const [least, short] = [MIN_CHUNK_BYTES, MIN_CHUNK_BYTES - 1]
    expect(decodeNode(node(least, least, 1), { root: true }).children.length).toBe(3)
    expect(code(() => decodeNode(node(least, short, least), { root: true }))).toBe('CONTENT_INVALID')
    expect(code(() => decodeNode(node(1, 1), { root: true }))).toBe('CONTENT_INVALID')
    const full = Array.from({ length: TREE_FANOUT - 1 }, () => least)
    const inside = { root: false, level: 1, full: true }
    expect(decodeNode(node(...full, least), inside).children.length).toBe(TREE_FANOUT)
    expect(code(() => decodeNode(node(...full, short), inside))).toBe('CONTENT_INVALID')
    expect(decodeNode(node(...full, short), { ...inside, full: false }).children.length).toBe(TREE_FANOUT)
    // Pages of a manifest are leaves of another kind.
    expect(decodeNode(node(700, 20), { root: true, fanout: MANIFEST_FANOUT }).children.length).toBe(2)
  })

  test('a node of a manifest has fewer children', () => {
    const node = (count: number): Uint8Array =>
      encodeNode(
        1,
        Array.from({ length: count }, (_, i) => chunk(i))
      )
    const expected = { root: false, fanout: MANIFEST_FANOUT, full: true }
    expect(decodeNode(node(MANIFEST_FANOUT), expected).children.length).toBe(MANIFEST_FANOUT)
    expect(code(() => decodeNode(node(MANIFEST_FANOUT + 1), expected))).toBe('CONTENT_INVALID')
    expect(code(() => decodeNode(node(MANIFEST_FANOUT - 1), expected))).toBe('CONTENT_INVALID')
  })

  test('a long root is no file of one chunk', () => {
    expect(nodeCid(chunk(1).id).equals(rawCid(chunk(1).id))).toBe(false)
  })

  test('random bytes never crash the decoder', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        expect(code(() => decodeNode(bytes, { root: true }))).toBe('CONTENT_INVALID')
      }),
      { numRuns: 300 }
    )
  })
})

function encodeEntries(lengthsBytes: number[]): Uint8Array {
  const entries = Buffer.alloc(36 * lengthsBytes.length, 7)
  for (const [i, length] of lengthsBytes.entries()) entries.writeUInt32LE(length, i * 36)
  return entries
}
