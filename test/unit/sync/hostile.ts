/** Sides that misbehave, and what must hold whatever they do. */
import { expect } from 'vitest'
import type { Descend, DescentOpening, SyncHello, SyncMessage } from '../../../protocols/index.ts'
import { type Course, framesOf, messagesOf, numbered, Side, type StoredRecord } from './sides.ts'
import { hashOf, hex } from './tries.ts'

export const range = (from: number, to: number): StoredRecord[] =>
  Array.from({ length: to - from }, (_, index) => numbered(from + index))

const commons = new Map<number, Side>()
function commonOf(records: number): Side {
  const common = commons.get(records) ?? new Side('common', range(0, records))
  commons.set(records, common)
  return common
}

/** Two sides that differ, and what a session between them must never break, however one of them behaves. */
export function world(
  both: number,
  mine: number,
  theirs: number
): { a: Side; b: Side; expectIntact: () => void } {
  const common = commonOf(both)
  const [a, b] = [common.copy('a'), common.copy('b')]
  a.take(range(10_000, 10_000 + mine))
  b.take(range(20_000, 20_000 + theirs))
  const before = [a, b].map(side => [...side.records.values()])
  const known = new Set(before.flat().map(({ recHash }) => hex(recHash)))
  const expectIntact = (): void => {
    for (const [index, side] of [a, b].entries()) {
      expect(before[index]!.filter(record => !side.holds(record))).toEqual([])
      expect([...side.records.values()].filter(({ recHash }) => !known.has(hex(recHash)))).toEqual([])
    }
  }
  return { a, b, expectIntact }
}

/** Changes the messages of one turn. */
export const inTurn =
  (number: number, change: (messages: SyncMessage[]) => SyncMessage[]) =>
  async (frames: Uint8Array[], turn: number): Promise<Uint8Array[]> =>
    turn === number ? framesOf(change(await messagesOf(frames))) : frames

/** Bodies of one kind changed, the rest as it was. */
export const changing =
  <K extends SyncMessage['kind']>(
    kind: K,
    change: (body: Extract<SyncMessage, { kind: K }>['body']) => Partial<typeof body>
  ) =>
  (messages: SyncMessage[]): SyncMessage[] =>
    messages.map(message =>
      message.kind === kind
        ? ({ kind, body: { ...message.body, ...change(message.body as never) } } as SyncMessage)
        : message
    )

export const HELLO: SyncHello = {
  library: hashOf('library'),
  root: hashOf('root'),
  records: 1,
  revision: 0,
  nonce: new Uint8Array(16),
  cells: new Uint8Array(0),
  counts: new Uint8Array(0),
  traceparent: ''
}
export const OPENING: DescentOpening = { nonce: Buffer.alloc(16), records: 9, depth: 0, first: 0, count: 1 }
export const descend = (body: Partial<Descend>): SyncMessage => ({
  kind: 'descend',
  body: {
    answers: Buffer.alloc(0),
    shapes: Buffer.alloc(0),
    fingerprints: Buffer.alloc(0),
    more: false,
    ...body
  }
})

export const codesOf = (course: Course): string[] =>
  course.turns.filter(turn => turn.startsWith('error ')).map(turn => turn.slice('error '.length))

/** Cells that fit nothing: nothing comes out of them, and the session falls back on comparing tries from turn 3 on. */
export const garbled = inTurn(
  1,
  changing('sketch', ({ cells }) => ({ cells: cells.map(byte => byte ^ 0x55) }))
)
/** Sets whose tries are compared when the sketch is garbled. */
export const forDescent = (): ReturnType<typeof world> => world(3000, 10, 60)
