import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeNode,
  encodeBucket,
  encodeInterior,
  MAX_BUCKET_RECORDS,
  MAX_NODE_BYTES,
  slotsOf,
  type TreeNode
} from '../../../sync/index.ts'
import { hashOf, MemoryTree, record } from './tries.ts'

const encode = (node: TreeNode): Uint8Array =>
  node.kind === 'bucket' ? encodeBucket(node.entries) : encodeInterior(node.slots)

const tree = new MemoryTree()
tree.apply(Array.from({ length: 1000 }, (_, number) => record(number)))
const nodes = [...tree.rows]

const damaged = expect.objectContaining({ code: 'TREE_DAMAGED' })

/** Bytes are either refused, or the one spelling of what they decode to. */
function expectCanonical(bytes: Uint8Array): void {
  let node: TreeNode
  try {
    node = decodeNode(bytes)
  } catch (error) {
    expect(error).toEqual(damaged)
    return
  }
  expect(encode(node)).toEqual(Uint8Array.from(bytes))
}

describe('the bytes of a node', () => {
  test('are what encoding what they decode to gives', () => {
    for (const [path, bytes] of nodes) expect(encode(decodeNode(bytes, path))).toEqual(Uint8Array.from(bytes))
    expect(nodes.some(([, bytes]) => bytes[0] === 0) && nodes.some(([, bytes]) => bytes[0] === 1)).toBe(true)
  })

  test('have one spelling, also when they are changed or made of anything', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...nodes),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        ([, bytes], at, byte) => {
          const changed = Uint8Array.from(bytes)
          changed[at % changed.byteLength] = byte
          expectCanonical(changed)
        }
      ),
      { numRuns: 1000 }
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: MAX_NODE_BYTES + 65 }), expectCanonical))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 576, maxLength: 576 }), rest =>
        expectCanonical(Uint8Array.from([1, ...rest]))
      )
    )
  })

  test.each([
    ['no bytes', new Uint8Array(), 'neither'],
    ['another kind', Uint8Array.of(2), 'neither'],
    ['a bucket of no records', Uint8Array.of(0), 'bucket of 1 bytes'],
    ['half a record', new Uint8Array(33), 'bucket of 33 bytes'],
    ['a record too many', new Uint8Array(1 + 33 * 64), 'bucket of 2113 bytes'],
    ['a key twice', new Uint8Array(1 + 2 * 64), 'out of order'],
    ['an interior node cut off', Uint8Array.from({ length: 576 }, () => 1), '576 bytes'],
    [
      'an interior node over nothing',
      Uint8Array.from({ length: 577 }, (_, at) => (at === 0 ? 1 : 0)),
      'over 0 records'
    ]
  ])('%s', (_, bytes, why) => {
    expect(() => decodeNode(bytes)).toThrow(
      expect.objectContaining({ code: 'TREE_DAMAGED', message: expect.stringContaining(why) })
    )
  })

  test('cannot stand for more than four bytes can count, nor for what fits a bucket', () => {
    const interior = (...counts: number[]): Uint8Array =>
      encodeInterior(slotsOf(counts.map(count => ({ count, hash: hashOf('x') }))))
    expect(() => decodeNode(interior(0xffff_ffff, 1))).toThrow(damaged)
    expect(() => decodeNode(interior(MAX_BUCKET_RECORDS))).toThrow(damaged)
    expect(decodeNode(interior(0xffff_ffff))).toMatchObject({ kind: 'interior' })
    expect(decodeNode(interior(MAX_BUCKET_RECORDS + 1))).toMatchObject({ kind: 'interior' })
  })

  test('name the place in which they cannot be', () => {
    const [path, bytes] = nodes.find(([at, row]) => at.length === 2 && row[0] === 0)!
    expect(decodeNode(bytes, path).kind).toBe('bucket')
    const other = path === 'aa' ? 'bb' : 'aa'
    expect(() => decodeNode(bytes, other)).toThrow(
      expect.objectContaining({ code: 'TREE_DAMAGED', details: { path: other } })
    )
  })
})
