import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FINGERPRINT_BYTES,
  type GroupShape,
  listShape,
  MAX_GROUPS,
  MAX_LIST,
  MAX_RANGE_DEPTH,
  MAX_RECORDS_PER_FRAME,
  MAX_SYNC_FRAME_BYTES,
  stepShape,
  subtreesBelow
} from '../../../protocols/index.ts'
import { AnswerReader, bitsOf, encodeAnswer } from '../../../sync/reconcile/columns.ts'
import { placesIn, shapeAmong } from '../../../sync/reconcile/descent.ts'
import { Fingerprinter, saltOf } from '../../../sync/reconcile/fingerprints.ts'
import { MAX_LOOK_AHEAD } from '../../../sync/reconcile/limits.ts'
import { offeredRecords } from '../../../sync/reconcile/offers.ts'
import { descendFrames, joinDescend, recordFrames } from '../../../sync/reconcile/pack.ts'
import {
  chooseTrieWay,
  chooseWay,
  reachesEnd,
  streamDepth,
  streamRange
} from '../../../sync/reconcile/plan.ts'
import { framesOf, messagesOf, numbered, Side } from './sides.ts'
import { hex, unhex } from './tries.ts'

interface Vectors {
  salt: Record<'initiatorNonce' | 'responderNonce' | 'initiator' | 'responder' | 'salt', string> & {
    hashes: string[]
    fingerprints: number[]
  }
  answers: Array<{ shape: GroupShape; indices: number[]; encoding: string }>
}
const file = new URL('../../fixtures/vectors/sync/descent.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

describe('fingerprints', () => {
  const parts = {
    initiatorNonce: unhex(vectors.salt.initiatorNonce),
    responderNonce: unhex(vectors.salt.responderNonce),
    initiator: unhex(vectors.salt.initiator),
    responder: unhex(vectors.salt.responder)
  }

  it('have the salt and the bytes they always had', () => {
    const salt = saltOf(parts)
    expect(hex(salt)).toBe(vectors.salt.salt)
    const hashes = vectors.salt.hashes.map(unhex)
    expect([...new Fingerprinter(salt).of(hashes)]).toEqual(vectors.salt.fingerprints)
  })

  it('are others with another nonce or peer, and the same however many are made at once', () => {
    const hashes = vectors.salt.hashes.map(unhex)
    const fingerprinter = new Fingerprinter(saltOf(parts))
    expect(hashes.flatMap(hash => [...fingerprinter.of([hash])])).toEqual(vectors.salt.fingerprints)
    for (const part of ['initiatorNonce', 'responderNonce', 'initiator', 'responder'] as const) {
      const other = { ...parts, [part]: parts[part].map(byte => byte + 1) }
      expect([...new Fingerprinter(saltOf(other)).of(hashes)]).not.toEqual(vectors.salt.fingerprints)
    }
  })

  it('say what is not there, and nothing else does', () => {
    const fingerprinter = new Fingerprinter(saltOf(parts))
    expect([...fingerprinter.of([undefined, unhex(vectors.salt.hashes[0]!)])][0]).toBe(0)
    expect(vectors.salt.fingerprints).not.toContain(0)
  })
})

describe('answers', () => {
  it.each(vectors.answers)('to $shape have the bytes they always had', ({ shape, indices, encoding }) => {
    expect(hex(encodeAnswer(shape, indices))).toBe(encoding)
    const reader = new AnswerReader(unhex(encoding))
    expect(reader.answer(shape)).toEqual(indices)
    expect(reader.isAtEnd).toBe(true)
  })

  const answer = fc
    .oneof(
      fc.integer({ min: 0, max: MAX_LIST }).map(listShape),
      fc.integer({ min: 1, max: 3 }).map(stepShape)
    )
    .chain(shape =>
      fc
        .uniqueArray(fc.nat({ max: Math.max(0, shape.size - 1) }), { maxLength: Math.min(shape.size, 400) })
        .map(indices => ({ shape, indices: shape.size === 0 ? [] : indices.sort((a, b) => a - b) }))
    )

  it('come back, one behind another', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 8 }), answers => {
        const bytes = Buffer.concat(answers.map(({ shape, indices }) => encodeAnswer(shape, indices)))
        const reader = new AnswerReader(bytes)
        for (const { shape, indices } of answers) expect(reader.answer(shape)).toEqual(indices)
        expect(reader.isAtEnd).toBe(true)
      }),
      { seed: 441, numRuns: 200 }
    )
  })

  it('that count other subtrees than they show are refused', () => {
    const dense = encodeAnswer(
      stepShape(2),
      Array.from({ length: 20 }, (_, index) => index)
    )
    dense[0]!++
    expect(() => new AnswerReader(dense).answer(stepShape(2))).toThrow(/20 subtrees instead of 21/)
  })

  it('of any bytes are rising indices of the group, or PROTOCOL_VIOLATION', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(0, 1, 2, 3),
        fc.nat({ max: 90 }),
        (bytes, step, length) => {
          const shape = step === 0 ? listShape(length) : stepShape(step)
          try {
            const indices = new AnswerReader(bytes).answer(shape)
            expect(indices.every((index, at) => index < shape.size && index > (indices[at - 1] ?? -1))).toBe(
              true
            )
          } catch (error) {
            expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' })
          }
        }
      ),
      { seed: 442, numRuns: 1000 }
    )
  })
})

describe('frames of a turn', () => {
  it('are as many as the bounds make of it, and come back as one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: MAX_LIST }), { maxLength: 60, size: 'max' }),
        fc.nat({ max: 2 * MAX_GROUPS }),
        fc.nat({ max: 5000 }),
        async (lists, small, answers) => {
          const shapes = [...lists, ...new Array<number>(small).fill(1)].map(listShape)
          const turn = {
            answers: Array.from({ length: answers }, (_, index) => bitsOf([index % 16], 16)),
            groups: {
              shapes,
              fingerprints: shapes.map(({ size }, index) => new Uint32Array(size).fill(index + 1))
            }
          }
          const frames = framesOf(descendFrames(turn))
          for (const frame of frames) expect(frame.byteLength).toBeLessThanOrEqual(MAX_SYNC_FRAME_BYTES + 8)
          const bodies = (await messagesOf(frames)).flatMap(({ kind, body }) =>
            kind === 'descend' ? [body] : []
          )
          expect(bodies.map(({ more }) => more)).toEqual(bodies.map((_, index) => index < bodies.length - 1))
          const { answers: column, groups } = joinDescend(bodies)
          expect(hex(column)).toBe(hex(Buffer.concat(turn.answers)))
          expect(groups).toEqual(turn.groups)
        }
      ),
      { seed: 443, numRuns: 20 }
    )
  })
})

describe('frames of records', () => {
  it('are as many as the bounds make of them, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 5000, size: 'max' }),
          fc.array(fc.integer({ min: 1, max: 32 * 1024 }), { maxLength: 100, size: 'max' })
        ),
        async sizes => {
          const records = sizes.map((size, index) => new Uint8Array(size).fill(index))
          const frames = [...recordFrames(records)]
          const bodies = (await messagesOf(frames)).flatMap(({ kind, body }) =>
            kind === 'records' ? [body.records] : []
          )
          for (const frame of frames) expect(frame.byteLength).toBeLessThanOrEqual(MAX_SYNC_FRAME_BYTES + 8)
          for (const body of bodies) expect(body.length).toBeLessThanOrEqual(MAX_RECORDS_PER_FRAME)
          expect(bodies.flat().map(({ byteLength }) => byteLength)).toEqual(sizes)
          expect(Buffer.concat(bodies.flat()).equals(Buffer.concat(records))).toBe(true)
        }
      ),
      { seed: 449, numRuns: 15 }
    )
  })
})

describe('what a group shows', () => {
  it('is a list of few records, and never more than its turn may look ahead', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.integer({ min: 1, max: 20_000 }), (records, groups) => {
        const subtree = { path: '', count: records, hash: new Uint8Array(32) }
        const shape = shapeAmong(groups)({ path: '', subtree: records === 0 ? undefined : subtree })
        if (shape.step === 0) expect(shape.size).toBe(records)
        else expect(records).toBeGreaterThan(32)
        if (shape.step > 1) expect(groups * shape.size).toBeLessThanOrEqual(MAX_LOOK_AHEAD)
        expect(shape.size * FINGERPRINT_BYTES).toBeLessThanOrEqual(4096)
      }),
      { seed: 444, numRuns: 1000 }
    )
  })
})

describe('the way to look for a difference', () => {
  it.each([
    [100_000, 100_000, 30, 'sketch'],
    [1_000_000, 1_000_000, 1000, 'sketch'],
    [1_000_000, 1_000_000, 11_000, 'sketch'],
    [1_000_000, 1_000_000, 13_000, 'descent'],
    [100_000, 100_000, 13_000, 'stream'],
    [1000, 1000, 400, 'stream'],
    [0, 1_000_000, 1_000_000, 'stream'],
    [40_000_000, 40_000_000, 100_000, 'stream']
  ])('of %i and %i records, of which %i differ, is a %s', (mine, theirs, difference, kind) => {
    expect(chooseWay({ mine, theirs }, difference).kind).toBe(kind)
  })

  it('costs no more than a list of everything, and a sketch has what a difference needs', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 3_000_000 }),
        fc.nat({ max: 3_000_000 }),
        fc.nat({ max: 100_000 }),
        (mine, theirs, difference) => {
          const way = chooseWay({ mine, theirs }, difference)
          if (way.kind !== 'sketch') return
          expect(way.cells).toBeGreaterThanOrEqual(Math.min(16_384, 1.38 * difference))
          expect(way.cells * 17.5).toBeLessThanOrEqual(mine * 4.125)
        }
      ),
      { seed: 445, numRuns: 1000 }
    )
    expect(chooseTrieWay({ mine: 1000, theirs: 1000 }, 5).kind).toBe('descent')
  })
})

describe('ranges of a stream', () => {
  const sizes = fc.record({ mine: fc.nat({ max: 0x7fffffff }), theirs: fc.nat({ max: 0x7fffffff }) })

  it('cover everything once, and are as few as turns allow', () => {
    fc.assert(
      fc.property(
        fc.record({ mine: fc.nat({ max: 4_000_000 }), theirs: fc.nat({ max: 4_000_000 }) }),
        each => {
          const depth = streamDepth(each)
          let next = 0
          let ranges = 0
          for (let range = streamRange(each, depth, 0); ; range = streamRange(each, depth, next)) {
            expect(range.first).toBe(next)
            expect(range.count).toBeGreaterThan(0)
            expect(range.count).toBeLessThanOrEqual(MAX_GROUPS)
            next = range.first + range.count
            ranges++
            if (reachesEnd(range)) break
          }
          expect(next).toBe(subtreesBelow(depth))
          expect(2 * ranges + 4).toBeLessThanOrEqual(16 + (each.mine + each.theirs) / 65_536)
        }
      ),
      { seed: 446, numRuns: 200 }
    )
  })

  it('have lists that hashed keys do not overflow', () => {
    fc.assert(
      fc.property(sizes, each => {
        const depth = streamDepth(each)
        expect(depth).toBeLessThanOrEqual(MAX_RANGE_DEPTH)
        expect(Math.max(each.mine, each.theirs) / subtreesBelow(depth)).toBeLessThanOrEqual(2048)
      }),
      { seed: 447, numRuns: 200 }
    )
  })

  it('are the subtrees of their paths, whether or not anything is there', () => {
    const view = new Side(
      'a',
      Array.from({ length: 200 }, (_, index) => numbered(index))
    ).snapshot()
    const all = placesIn(view, { depth: 2, first: 0, count: 256 })
    expect(all.map(({ path }) => path)).toEqual(
      Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))
    )
    expect(all.reduce((sum, { subtree }) => sum + (subtree?.count ?? 0), 0)).toBe(200)
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.nat({ max: 255 }), (first, last) => {
        const [from, to] = [Math.min(first, last), Math.max(first, last) + 1]
        expect(placesIn(view, { depth: 2, first: from, count: to - from })).toEqual(all.slice(from, to))
      }),
      { seed: 448 }
    )
  })
})

describe('offers', () => {
  it('are the chosen records of their places, by key', () => {
    const side = new Side(
      'a',
      Array.from({ length: 300 }, (_, index) => numbered(index))
    )
    const keys = [...side.records.keys()].sort()
    const under = (path: string): string[] => keys.filter(key => key.startsWith(path))
    const offers = ['f', '3', '0a'].map(path => ({
      path,
      chosen: bitsOf(
        under(path).flatMap((_, index) => (index % 2 === 0 ? [index] : [])),
        under(path).length
      )
    }))
    const wanted = ['0a', '3', 'f'].flatMap(path => under(path).filter((_, index) => index % 2 === 0))
    expect([...offeredRecords(side.snapshot(), offers)].map(({ trieKey }) => hex(trieKey))).toEqual(wanted)
  })
})
