import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  MAX_BUCKET_RECORDS,
  MAX_PROOF_BYTES,
  proveRecord,
  rootOf,
  type TreeChange,
  verifyProof
} from '../../../sync/index.ts'
import { applyToModel, crowdedChanges, crowdedKey, hashOf, hex, MemoryTree, record } from './tries.ts'

const RECORDS = 5000

const treeOf = (changes: readonly TreeChange[]): MemoryTree => {
  const tree = new MemoryTree()
  tree.apply(changes)
  return tree
}
const large = treeOf(Array.from({ length: RECORDS }, (_, number) => record(number)))
const refused = expect.objectContaining({ code: 'PROOF_INVALID' })

/** What a proof says, or that it was refused; nothing else may come out of hostile bytes. */
function verdict(proof: Uint8Array, root: Uint8Array): ReturnType<typeof verifyProof> | 'refused' {
  try {
    return verifyProof(proof, root)
  } catch (error) {
    expect(error).toEqual(refused)
    return 'refused'
  }
}

describe('a proof', () => {
  test('says of every key what the set has under it', () => {
    fc.assert(
      fc.property(crowdedChanges, crowdedKey, (changes, key) => {
        const tree = treeOf(changes)
        const model = applyToModel(new Map(), changes)
        const proof = proveRecord(tree, key)
        const proven = verifyProof(proof, rootOf(tree.top))
        expect(proven.trieKey).toEqual(key)
        expect(proven.recHash && hex(proven.recHash)).toBe(model.get(hex(key)))
        expect(proven.count).toBe(model.size)
        expect(proof.byteLength).toBeLessThanOrEqual(MAX_PROOF_BYTES)
      })
    )
  })

  test('with any byte changed says nothing else', () => {
    const present = proveRecord(large, record(7).trieKey)
    const absent = proveRecord(large, record(RECORDS + 7).trieKey)
    const root = rootOf(large.top)
    for (const proof of [present, absent]) {
      const said = verifyProof(proof, root)
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: proof.byteLength - 1 }),
          fc.integer({ min: 1, max: 255 }),
          (at, bits) => {
            const forged = Uint8Array.from(proof)
            forged[at]! ^= bits
            const result = verdict(forged, root)
            // The key alone is not hashed. Another key of the same bucket is another true statement of the same set.
            if (result === 'refused') return
            expect(at).toBeLessThan(33)
            expect(hex(result.trieKey)).not.toBe(hex(said.trieKey))
            expect(result.recHash).toBeUndefined()
            expect(result.count).toBe(RECORDS)
          }
        ),
        { numRuns: 1000 }
      )
    }
  })

  test('cut off, lengthened, or made of anything proves nothing', () => {
    const root = rootOf(large.top)
    const proof = proveRecord(large, record(7).trieKey)
    for (let length = 0; length < proof.byteLength; length++)
      expect(verdict(proof.subarray(0, length), root)).toBe('refused')
    expect(verdict(Uint8Array.from([...proof, 0]), root)).toBe('refused')
    expect(verdict(new Uint8Array(MAX_PROOF_BYTES + 1), root)).toBe('refused')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), bytes => {
        expect(verdict(Uint8Array.from([1, ...bytes]), root)).toBe('refused')
      })
    )
  })

  test('of one set proves nothing of another', () => {
    const other = treeOf(Array.from({ length: RECORDS }, (_, number) => record(number, number === 7 ? 1 : 0)))
    const proof = proveRecord(large, record(7).trieKey)
    expect(verdict(proof, rootOf(other.top))).toBe('refused')
    expect(verifyProof(proof, rootOf(large.top)).recHash).toEqual(record(7).recHash)
    expect(verifyProof(proveRecord(other, record(7).trieKey), rootOf(other.top)).recHash).toEqual(
      record(7, 1).recHash
    )
  })

  test('of the empty set is 35 bytes', () => {
    const proof = proveRecord(new MemoryTree(), hashOf('a key'))
    expect(proof.byteLength).toBe(35)
    expect(verifyProof(proof, rootOf(undefined))).toEqual({
      trieKey: hashOf('a key'),
      recHash: undefined,
      count: 0
    })
    expect(verdict(proof, rootOf(large.top))).toBe('refused')
  })

  /** Whoever signs a root may have made it of a tree that no set has: then proofs of it must not contradict each other. */
  test('of a tree that no set has is refused', () => {
    const [key, recHash] = [hashOf('a key'), hashOf('a record')]
    const proof = proveRecord(treeOf([{ trieKey: key, recHash }]), key)
    const at = (depth: number, slots: Uint8Array, rest: Uint8Array): Uint8Array =>
      Uint8Array.from([...proof.subarray(0, 33), depth, ...slots, ...rest])
    const emptySlots = new Uint8Array(15 * 36)
    const bucket = proof.subarray(34)
    // An interior node over one record, and one over none.
    const underfull = at(1, emptySlots, bucket)
    const empty = at(1, emptySlots, Uint8Array.of(0))
    // A bucket with a key of another place, and one in the wrong order.
    const misplaced = Uint8Array.from(proof)
    misplaced[1]! ^= 0x80
    const full = new Uint8Array(15 * 36)
    full.set([0, 0, 0, MAX_BUCKET_RECORDS, ...hashOf('a child')], 0)
    const elsewhere = Uint8Array.from([...misplaced.subarray(0, 33), 1, ...full, ...bucket])
    // A child of records without a hash, and one with a hash and no records.
    const unhashed = new Uint8Array(15 * 36)
    unhashed[3] = 40
    const uncounted = Uint8Array.from(full)
    uncounted.set(hashOf('x'), 36 + 4)
    const forms = [
      [underfull, 'over 1 records'],
      [empty, 'over 0 records'],
      [elsewhere, 'cannot stand there'],
      [at(1, unhashed, bucket), 'a child of no records'],
      [at(1, uncounted, bucket), 'a child of no records'],
      [at(65, new Uint8Array(65 * 15 * 36), bucket), '65 nodes deep']
    ] as const
    for (const [forged, why] of forms)
      expect(() => verifyProof(forged, rootOf(large.top))).toThrow(
        expect.objectContaining({ code: 'PROOF_INVALID', message: expect.stringContaining(why) })
      )
  })
})
