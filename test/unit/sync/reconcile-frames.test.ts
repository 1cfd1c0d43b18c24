import { describe, expect, it } from 'vitest'
import {
  type Descend,
  type DescentOpening,
  decodeShapes,
  encodeShapes,
  listShape,
  type SyncMessage,
  stepShape
} from '../../../protocols/index.ts'
import { awaitSession, MAX_SKETCH_CELLS, receive, reply, type Session } from '../../../sync/index.ts'
import { Fingerprinter } from '../../../sync/reconcile/fingerprints.ts'
import type { Descent } from '../../../sync/reconcile/session.ts'
import { changing, codesOf, descend, forDescent, garbled, HELLO, inTurn, OPENING, world } from './hostile.ts'
import { converge } from './sides.ts'
import { hashOf } from './tries.ts'

describe('frames that no session has', () => {
  const more = changing('want', () => ({ more: true }))
  const cases: Array<[string, number, (messages: SyncMessage[]) => SyncMessage[], RegExp]> = [
    ['a hello in the middle', 1, () => [{ kind: 'hello', body: HELLO }], /hello while it is greeted/],
    [
      'a root before a hello',
      0,
      () => [{ kind: 'fin', body: { root: hashOf('root') } }],
      /fin while it is waiting/
    ],
    [
      'a head',
      0,
      () => [{ kind: 'head', body: { library: hashOf('library'), head: Buffer.of(1) } }],
      /head while/
    ],
    [
      'two kinds in a turn',
      1,
      messages => [...more(messages), { kind: 'fin', body: { root: hashOf('root') } }],
      /fin while it is greeted/
    ],
    [
      'wants that repeat',
      1,
      messages => [...more(messages), ...messages.filter(({ kind }) => kind === 'want')],
      /do not rise/
    ],
    [
      'wants that fall',
      1,
      changing('want', ({ keys }) => ({ keys: Buffer.concat([keys, Buffer.alloc(8)]) })),
      /do not rise/
    ],
    ['a comparison that was not begun', 1, () => [descend({ answers: Buffer.alloc(2) })], /not begun/],
    [
      'an opening without its groups',
      1,
      () => [descend({ opening: { ...OPENING, depth: 5, count: 16 ** 5 } })],
      /0 groups for 1048576 subtrees/
    ]
  ]

  it.each(cases)('%s', async (_, turn, change, message) => {
    const { a, b, expectIntact } = world(3000, 5, 5)
    const course = await converge(a, b, { change: inTurn(turn, change) })
    expect(codesOf(course)[0]).toBe('PROTOCOL_VIOLATION')
    expect(course.error?.message).toMatch(message)
    expectIntact()
  })

  const inDescent: Array<[string, (body: Descend) => Partial<Descend>, RegExp]> = [
    [
      'an answer too many',
      ({ answers }) => ({ answers: Buffer.concat([answers, Buffer.alloc(2)]) }),
      /no group/
    ],
    ['an answer too few', ({ answers }) => ({ answers: answers.subarray(0, -1) }), /cut off|no varint/],
    ['no answer', () => ({ answers: Buffer.alloc(0) }), /cut off|no varint/],
    [
      'a group too many',
      ({ shapes }) => ({ shapes: Buffer.concat([shapes, encodeShapes([listShape(0)])]) }),
      /groups at \d+ places/
    ],
    [
      'no group',
      () => ({ shapes: Buffer.alloc(0), fingerprints: Buffer.alloc(0) }),
      /0 groups at \d+ places/
    ],
    [
      'groups that look too far down',
      ({ shapes }) => {
        const count = decodeShapes(shapes).length
        return {
          shapes: encodeShapes(Array.from({ length: count }, () => stepShape(2))),
          fingerprints: Buffer.alloc(count * 256 * 4)
        }
      },
      /look 2 digits down/
    ]
  ]

  it.each(inDescent)('in a descent: %s', async (_, change, message) => {
    const { a, b, expectIntact } = forDescent()
    const lie = inTurn(4, changing('descend', change))
    const course = await converge(a, b, {
      change: async (frames, at) => await lie(await garbled(frames, at), at)
    })
    expect(course.turns[4]).toBe('descend')
    expect(codesOf(course)[0]).toBe('PROTOCOL_VIOLATION')
    expect(course.error?.message).toMatch(message)
    expectIntact()
  })

  it('a sketch of two sets', async () => {
    const { a, b, expectIntact } = forDescent()
    const cut = changing('sketch', ({ records }) => ({ records: records + 1, more: true }))
    const course = await converge(a, b, { change: inTurn(1, messages => [...cut(messages), ...messages]) })
    expect(course.error?.message).toContain('a sketch of two sets')
    expectIntact()
  })

  it.each([
    ['that say nothing, without end', 200, 0, /a turn of 129 frames/],
    ['that say too much', 1, 8192, /session of \d+ bytes/]
  ])('%s', async (_, count, cells, message) => {
    const { a, b, expectIntact } = world(3000, 5, 5)
    const nothing: SyncMessage = { kind: 'want', body: { keys: Buffer.alloc(0), unresolved: 0, more: true } }
    const columns = { cells: Buffer.alloc(16 * cells), counts: Buffer.alloc(cells) }
    const much: SyncMessage = { kind: 'sketch', body: { records: 3005, ...columns, more: true } }
    const frames = Array.from({ length: count }, () => (cells === 0 ? nothing : much))
    const course = await converge(a, b, { change: inTurn(1, () => frames) })
    expect(codesOf(course)[0]).toBe('LIMIT_EXCEEDED')
    expect(course.error?.message).toMatch(message)
    expectIntact()
  })

  it('more wants than a sketch shows', async () => {
    const { a, b, expectIntact } = world(20_000, 5, 5)
    const keys = Buffer.alloc(8 * (MAX_SKETCH_CELLS + 1))
    for (let index = 0; index <= MAX_SKETCH_CELLS; index++) keys.writeUInt32BE(index + 1, 8 * index)
    const wants = [0, 8192, 16_384].map(
      (from): SyncMessage => ({
        kind: 'want',
        body: { keys: keys.subarray(8 * from, 8 * (from + 8192)), unresolved: 0, more: from < 16_384 }
      })
    )
    const course = await converge(a, b, { change: inTurn(1, () => wants) })
    expect(course.error?.message).toContain('more wants than a sketch shows')
    expectIntact()
  })
})

describe('openings', () => {
  const { a } = world(3000, 0, 0)
  const range = { depth: 3, first: 0, count: 2 }
  const next = { ...OPENING, ...range, nonce: Buffer.alloc(0), first: 2 }

  /** A session in the middle of a stream, with the groups `open`, hears openings of two empty lists each. */
  function hear(
    role: Session['role'],
    openings: readonly DescentOpening[],
    open: Descent['open'] = []
  ): ReturnType<typeof reply> {
    const view = a.snapshot()
    const fingerprinter = new Fingerprinter(new Uint8Array(32))
    const descent: Descent = { view, fingerprinter, range, isStream: true, open }
    const waiting = awaitSession(view, a.options('library', 'a', 'b'))
    let session: Session = { ...waiting, role, phase: { kind: 'descending', descent } }
    for (const [index, opening] of openings.entries()) {
      const shapes = encodeShapes(index === 0 ? [listShape(0), listShape(0)] : [])
      session = receive(session, descend({ shapes, opening, more: index < openings.length - 1 }), 9).session
    }
    const before = view.reads
    try {
      return reply(session, view)
    } catch (error) {
      // Nothing was looked up for it.
      expect(view.reads).toBe(before)
      throw error
    }
  }

  it('by the responder go on with the next range', () => {
    expect(hear('initiator', [next]).frames).toHaveLength(1)
  })

  it.each<[string, RegExp, () => unknown]>([
    ['by the initiator', /by the initiator/, () => hear('responder', [next])],
    ['twice in a turn', /second opening/, () => hear('initiator', [next, next])],
    ['inside another', /inside another/, () => hear('initiator', [{ ...next, nonce: Buffer.alloc(16) }])],
    ['of a range again', /in the middle/, () => hear('initiator', [{ ...next, first: 0 }])],
    ['of a range further on', /in the middle/, () => hear('initiator', [{ ...next, first: 4 }])],
    ['at another depth', /in the middle/, () => hear('initiator', [{ ...next, depth: 2 }])],
    ['of more subtrees than groups', /2 groups for 3/, () => hear('initiator', [{ ...next, count: 3 }])],
    [
      'while a group is open',
      /in the middle/,
      () => hear('initiator', [next], [{ place: { path: '000', subtree: undefined }, shape: stepShape(1) }])
    ]
  ])('%s are refused', (_, message, act) => {
    expect(act).toThrow(expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }))
    expect(act).toThrow(message)
  })
})

describe('a message out of turn', () => {
  it('is refused, and so is an answer', () => {
    const { a } = world(500, 3, 3)
    const view = a.snapshot()
    const waiting = awaitSession(view, a.options('library', 'b', 'a'))
    const heard = receive(waiting, { kind: 'hello', body: HELLO }, 9)
    expect(heard.hasTurn).toBe(true)
    const again = (): unknown =>
      receive(heard.session, { kind: 'records', body: { records: [Buffer.of(1)] } }, 9)
    expect(again).toThrow('a message out of turn')
    expect(() => reply(waiting, view)).toThrow(/before the other side has ended its turn/)
  })
})
