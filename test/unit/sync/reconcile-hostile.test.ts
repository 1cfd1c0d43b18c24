import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatalogError } from '../../../base/index.ts'
import { decodeShapes, type GroupShape, type SyncMessage, stepShape } from '../../../protocols/index.ts'
import { encodeAnswer } from '../../../sync/reconcile/columns.ts'
import { compareGroups, type Groups } from '../../../sync/reconcile/descent.ts'
import { Fingerprinter } from '../../../sync/reconcile/fingerprints.ts'
import { descendFrames } from '../../../sync/reconcile/pack.ts'
import { changing, codesOf, forDescent, garbled, HELLO, inTurn, OPENING, range, world } from './hostile.ts'
import { converge, framesOf, makeRecord, messagesOf, Side, Speaker, type StoredRecord } from './sides.ts'
import { hashOf, hex } from './tries.ts'

describe('a side that says what is not so', () => {
  it('about its sketch costs a descent, whichever cells it makes up', async () => {
    const { a, b, expectIntact } = world(3000, 40, 60)
    const course = await converge(a, b, {
      change: inTurn(
        1,
        changing('sketch', ({ cells }) => ({
          cells: cells.map((byte, at) => (at % 7 === 0 ? byte ^ 1 : byte))
        }))
      )
    })
    expect(course.turns[1]).toBe('sketch')
    expect(course.error).toBeUndefined()
    expect(a.root).toBe(b.root)
    expect(course.equalAfter).toBeLessThanOrEqual(12)
    expectIntact()
  })

  it('about its sketch, with items that nobody has, is not believed', async () => {
    const { a, b, expectIntact } = world(3000, 5, 5)
    b.changeSketch = sketch => {
      for (let index = 0; index < 4; index++) sketch.add(hashOf(`no key ${index}`), hashOf('nothing'))
      for (const { trieKey, recHash } of range(0, 4)) sketch.remove(trieKey, recHash)
    }
    const course = await converge(a, b)
    expect(course.error).toBeUndefined()
    expect(a.root).toBe(b.root)
    expectIntact()
  })

  it.each([1, 2, 3])('about its root in turn %i is asked once more, and then no longer', async turn => {
    const { a, b, expectIntact } = world(500, 3, 3)
    const lie = changing('fin', () => ({ root: hashOf('another root') }))
    const course = await converge(a, b, {
      change: async (frames, at) => (at >= turn ? framesOf(lie(await messagesOf(frames))) : frames)
    })
    expect(codesOf(course)[0]).toBe('SYNC_DIVERGED')
    expect(course.turns.length).toBeLessThanOrEqual(18)
    expectIntact()
  })

  it('about how many records it has gets no more than a session may cost', async () => {
    const { a, b, expectIntact } = world(2000, 20, 20)
    const lie = changing('hello', () => ({
      records: 0x7fffffff,
      cells: new Uint8Array(0),
      counts: new Uint8Array(0)
    }))
    const course = await converge(a, b, { change: inTurn(0, lie) })
    // It is listed in as many ranges as so large a set has, until one of the two has had enough.
    expect(codesOf(course)[0]).toBe('LIMIT_EXCEEDED')
    expect(course.turns.length).toBeLessThanOrEqual(22)
    expectIntact()
  })

  it('and refuses records that are good diverges, and is told so', async () => {
    const { a, b, expectIntact } = world(1000, 30, 30)
    b.refuses = record => record.trieKey[0]! < 64
    const course = await converge(a, b)
    expect(codesOf(course)[0]).toBe('SYNC_DIVERGED')
    expect(course.turns.filter(kinds => kinds.includes('descend')).length).toBeLessThanOrEqual(12)
    expectIntact()
  })
})

describe('records that must not come', () => {
  const stranger = makeRecord(hashOf('a key of another library'))
  const recordsOf = (...records: StoredRecord[]): SyncMessage[] =>
    records
      .toSorted((x, y) => Buffer.compare(x.trieKey, y.trieKey))
      .map(({ bytes }) => ({ kind: 'records', body: { records: [bytes] } }))

  it.each([
    ['in an answer to wants', world(500, 3, 3), 2],
    ['in place of a last word', world(500, 3, 3), 3],
    ['before anything was asked', world(500, 3, 3), 0]
  ])('%s end the session', async (_, { a, b, expectIntact }, turn) => {
    const course = await converge(a, b, {
      change: inTurn(turn, messages => [
        ...recordsOf(stranger),
        ...messages.filter(m => m.kind !== 'records')
      ])
    })
    expect(codesOf(course)[0]).toBe('PROTOCOL_VIOLATION')
    expectIntact()
  })

  it('outside the lists of a descent end the session, in each of its turns', async () => {
    const { turns } = await converge(forDescent().a, forDescent().b, { change: garbled })
    const descends = turns.flatMap((kinds, turn) => (kinds.includes('descend') ? [turn] : []))
    expect(descends.length).toBeGreaterThanOrEqual(3)
    const corners = [...range(10_000, 10_010), ...range(20_000, 20_060)].map(({ trieKey }) => trieKey[0])
    const elsewhere = hashOf('a key where nothing differs')
    elsewhere[0] = Array.from({ length: 256 }, (_, byte) => byte).find(byte => !corners.includes(byte))!
    for (const turn of descends) {
      const { a, b, expectIntact } = forDescent()
      const inject = inTurn(turn, messages => [
        ...recordsOf(makeRecord(elsewhere)),
        ...messages.filter(({ kind }) => kind !== 'records')
      ])
      const course = await converge(a, b, {
        change: async (frames, at) => await inject(await garbled(frames, at), at)
      })
      expect(codesOf(course)[0]).toBe('PROTOCOL_VIOLATION')
      expectIntact()
    }
  })

  it.each([
    ['twice', 'PROTOCOL_VIOLATION', (records: Uint8Array[]) => [records[0]!, ...records]],
    ['out of order', 'PROTOCOL_VIOLATION', (records: Uint8Array[]) => records.toReversed()],
    [
      'under another seal',
      'SIGNATURE_INVALID',
      (records: Uint8Array[]) => records.map(bytes => bytes.map((byte, at) => (at === 33 ? byte ^ 1 : byte)))
    ]
  ])('%s end the session', async (_, code, change) => {
    const { a, b, expectIntact } = world(500, 5, 5)
    const course = await converge(a, b, {
      change: inTurn(
        1,
        changing('records', ({ records }) => ({ records: change(records) }))
      )
    })
    expect(codesOf(course)[0]).toBe(code)
    expectIntact()
  })

  it('behind what ends a turn end the session', async () => {
    const { a, b, expectIntact } = world(500, 5, 5)
    const course = await converge(a, b, {
      change: inTurn(1, messages => [
        ...changing('want', () => ({ more: true }))(messages),
        ...recordsOf(makeRecord(new Uint8Array(32).fill(255)))
      ])
    })
    expect(course.error?.message).toContain('records behind what ends a turn')
    expectIntact()
  })

  it('that are here already are endured, up to a limit', async () => {
    for (const [count, code] of [
      [500, undefined],
      [1500, 'PROTOCOL_VIOLATION']
    ] as const) {
      const { a, b, expectIntact } = world(3000, 50, 50)
      const course = await converge(a, b, {
        // Where a sketch was sent, records that nobody asked for may come.
        change: inTurn(2, messages => [
          ...recordsOf(...range(0, count), ...range(10_000, 10_050)),
          ...messages.filter(({ kind }) => kind !== 'records')
        ])
      })
      expect(course.turns[1]).toBe('sketch')
      expect(codesOf(course)[0]).toBe(code)
      if (code === undefined) expect(a.root).toBe(b.root)
      expectIntact()
    }
  })
})

describe('a side that finds differences without end', () => {
  /** Says of all subtrees that they differ and opens groups below them, wants nothing that is listed, and has another root. */
  function lie(messages: SyncMessage[]): SyncMessage[] {
    if (messages.some(({ kind }) => kind === 'fin')) return [{ kind: 'fin', body: { root: hashOf('none') } }]
    const shapes = messages.flatMap(({ kind, body }) => (kind === 'descend' ? decodeShapes(body.shapes) : []))
    const all = ({ size }: GroupShape): number[] => Array.from({ length: size }, (_, at) => at)
    const answers = shapes.map(shape => encodeAnswer(shape, shape.step > 0 ? all(shape) : []))
    const below = shapes.filter(({ step }) => step > 0).reduce((sum, { size }) => sum + size, 0)
    return descendFrames({ answers, groups: groupsOf(below) })
  }

  const groupsOf = (count: number): Groups => ({
    shapes: Array.from({ length: count }, () => stepShape(1)),
    fingerprints: Array.from({ length: count }, (_, at) => new Uint32Array(16).fill(at + 1))
  })

  /** Lets a side speak with the liar until it has enough. */
  async function attack(
    victim: Speaker,
    first: Uint8Array[]
  ): Promise<{ code: string; turns: number; bytes: number }> {
    let frames = first
    let bytes = 0
    for (let turns = 0; turns < 100; turns++) {
      bytes += frames.reduce((sum, { byteLength }) => sum + byteLength, 0)
      try {
        const said = await victim.hear(frames)
        bytes += said.reduce((sum, { byteLength }) => sum + byteLength, 0)
        frames = framesOf(lie(await messagesOf(said)))
      } catch (error) {
        return { code: (error as CatalogError).code, turns, bytes }
      }
    }
    throw new Error('an attack without end')
  }

  const limit = (records: number): number => 64 * 1024 + 5 * records

  it('as responder is stopped by the bounds', async () => {
    const { a, expectIntact } = world(3000, 10, 0)
    const { speaker } = Speaker.initiator(a, a.options('library', 'a', 'liar'))
    const opening = { ...OPENING, records: 3000 }
    const groups = { shapes: [stepShape(3)], fingerprints: [new Uint32Array(4096).fill(7)] }
    const { code, turns, bytes } = await attack(
      speaker,
      framesOf(descendFrames({ opening, answers: [], groups }))
    )
    expect(['LIMIT_EXCEEDED', 'SYNC_DIVERGED']).toContain(code)
    expect(turns).toBeLessThan(8)
    // What the last turn was worth came on top, and was not answered.
    expect(bytes).toBeLessThan(2 * limit(6010) + 256 * 1024)
    expectIntact()
  })

  it('as initiator is stopped by the bounds', async () => {
    const { a, expectIntact } = world(3000, 10, 0)
    const speaker = Speaker.responder(a, a.options('library', 'liar', 'a'))
    const body = { ...HELLO, records: 3000 }
    const { code, turns } = await attack(speaker, framesOf([{ kind: 'hello', body }]))
    expect(['LIMIT_EXCEEDED', 'SYNC_DIVERGED']).toContain(code)
    expect(turns).toBeLessThan(8)
    expectIntact()
  })

  it('down one branch is stopped at the last digit of a key', async () => {
    const crowd = Array.from({ length: 40 }, (_, index) => {
      const trieKey = hashOf('crowd')
      trieKey[31] = index
      return makeRecord(trieKey)
    })
    const view = new Side('a', crowd).snapshot()
    const place = { path: hex(hashOf('crowd')).slice(0, 62), subtree: undefined }
    const comparison = { view, fingerprinter: new Fingerprinter(new Uint8Array(32)) }
    const groups = { shapes: [stepShape(3)], fingerprints: [new Uint32Array(4096).fill(7)] }
    expect(() => [...compareGroups(comparison, [place], groups)]).toThrow(/below the last digit/)
  })
})

describe('a side that sends what was said before', () => {
  it('in another session is not understood', async () => {
    const told: Uint8Array[][] = []
    const first = forDescent()
    await converge(first.a, first.b, {
      change: async (frames, turn) => {
        const sent = await garbled(frames, turn)
        told.push(sent)
        return sent
      }
    })
    // The responder of a new session hears the old initiator again, word for word.
    const again = forDescent()
    const course = await converge(again.a, again.b, {
      change: (frames, turn) => (turn % 2 === 0 ? (told[turn] ?? frames) : frames)
    })
    expect(course.turns.length).toBeLessThanOrEqual(18)
    again.expectIntact()
  })
})

describe('any damage on the way', () => {
  type Damage = (frames: Uint8Array[]) => Uint8Array[]
  const at = fc.nat({ max: 100_000 })
  const damages: fc.Arbitrary<Damage> = fc.oneof(
    fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(
      ([place, bits]): Damage =>
        frames => {
          const bytes = Buffer.concat(frames)
          bytes[place % bytes.byteLength]! ^= bits
          return [bytes]
        }
    ),
    at.map(
      (place): Damage =>
        frames => {
          const bytes = Buffer.concat(frames)
          return [bytes.subarray(0, place % bytes.byteLength)]
        }
    ),
    at.map(
      (place): Damage =>
        frames =>
          frames.filter((_, index) => index !== place % frames.length)
    ),
    at.map(
      (place): Damage =>
        frames => [...frames, frames[place % frames.length]!]
    ),
    fc.constant((frames: Uint8Array[]) => frames.toReversed())
  )

  it('ends a session within its bounds, with an error that has a name, and harms no set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 9 }), damages, fc.boolean(), async (turn, damage, descends) => {
        const { a, b, expectIntact } = descends ? forDescent() : world(400, 6, 6)
        const course = await converge(a, b, {
          change: async (frames, number) => {
            const sent = descends ? await garbled(frames, number) : frames
            return number === turn ? damage(sent) : sent
          }
        })
        expect(course.turns.length).toBeLessThanOrEqual(18)
        const named = [
          'PROTOCOL_VIOLATION',
          'LIMIT_EXCEEDED',
          'SYNC_DIVERGED',
          'SIGNATURE_INVALID',
          'STREAM_TRUNCATED'
        ]
        if (course.error !== undefined) expect(named).toContain(course.error.code)
        expectIntact()
      }),
      { seed: 431, numRuns: 100 }
    )
  })
})
