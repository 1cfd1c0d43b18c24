import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import {
  decodeShapes,
  encodeFrame,
  encodeShapes,
  encodeSyncMessage,
  FrameReader,
  type GroupShape,
  listShape,
  MAX_GROUPS,
  MAX_LIST,
  MAX_SYNC_FRAME_BYTES,
  MAX_TOLD_CHANGES,
  readSyncMessage,
  type SyncMessage,
  stepShape
} from '../../../protocols/index.ts'
import {
  changesMessage,
  descendMessage,
  recordsMessage,
  syncHelloMessage,
  wantMessage
} from '../../../protocols/sync/frames.ts'

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
const read = (bytes: Uint8Array): ReturnType<typeof readSyncMessage> =>
  readSyncMessage(new FrameReader(once(bytes)))

const violation = { code: 'PROTOCOL_VIOLATION' }

const messages: SyncMessage[] = [
  { kind: 'head', body: { library: new Uint8Array(32), head: new Uint8Array([2]) } },
  {
    kind: 'hello',
    body: {
      library: new Uint8Array(32),
      root: new Uint8Array(32).fill(7),
      records: 3,
      revision: 4,
      nonce: new Uint8Array(16),
      cells: new Uint8Array(16),
      counts: new Uint8Array(1),
      traceparent: ''
    }
  },
  {
    kind: 'sketch',
    body: { records: 1, cells: new Uint8Array(16), counts: new Uint8Array(1), more: true }
  },
  {
    kind: 'descend',
    body: {
      answers: new Uint8Array([1]),
      shapes: encodeShapes([listShape(2)]),
      fingerprints: new Uint8Array(8),
      more: false
    }
  },
  { kind: 'want', body: { keys: new Uint8Array(8), unresolved: 0, more: false } },
  { kind: 'records', body: { records: [new Uint8Array([1, 2, 3])] } },
  { kind: 'fin', body: { root: new Uint8Array(32) } },
  { kind: 'abort', body: { status: 1, code: 'BUSY', message: 'later', retryAfterMs: 5 } },
  { kind: 'changes', body: { root: new Uint8Array(32), gone: new Uint8Array(64) } }
]

describe('messages of a session', () => {
  it('have the numbers they always had', () => {
    expect(messages.map(message => encodeSyncMessage(message)[0])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('come back from a stream, with the bytes they took', async () => {
    const reader = new FrameReader(once(Buffer.concat(messages.map(encodeSyncMessage))))
    for (const message of messages) {
      const sizeBytes = encodeSyncMessage(message).byteLength
      expect(await readSyncMessage(reader)).toEqual({ message, sizeBytes })
    }
    expect(await readSyncMessage(reader)).toBeUndefined()
  })

  it('of unknown kinds, too long or cut are refused', async () => {
    await expect(read(encodeFrame([0], new Uint8Array(2)))).rejects.toMatchObject(violation)
    await expect(read(encodeFrame([10], new Uint8Array(2)))).rejects.toMatchObject(violation)
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield encodeFrame([4], new Uint8Array(MAX_SYNC_FRAME_BYTES + 1)).subarray(0, 4)
      throw new Error('the body was asked for')
    }
    await expect(readSyncMessage(new FrameReader(endless()))).rejects.toMatchObject(violation)
    const whole = encodeSyncMessage(messages[1]!)
    for (const cut of [1, 2, whole.byteLength - 1])
      await expect(read(whole.subarray(0, cut))).rejects.toMatchObject({ code: 'STREAM_TRUNCATED' })
  })
})

describe('shapes of groups', () => {
  const shape: fc.Arbitrary<GroupShape> = fc.oneof(
    fc.integer({ min: 1, max: 3 }).map(stepShape),
    fc.integer({ min: 0, max: MAX_LIST }).map(listShape)
  )

  it('come back', () => {
    fc.assert(
      fc.property(fc.array(shape), shapes => {
        expect(decodeShapes(encodeShapes(shapes))).toEqual(shapes)
      }),
      { seed: 411 }
    )
  })

  it('beyond the bounds are refused', () => {
    const many = (count: number): Uint8Array => new Uint8Array(count).fill(4)
    expect(decodeShapes(many(MAX_GROUPS))).toHaveLength(MAX_GROUPS)
    for (const bytes of [
      many(MAX_GROUPS + 1),
      Uint8Array.of(0),
      encodeShapes([listShape(MAX_LIST + 1)]),
      Uint8Array.of(0x84, 0),
      Uint8Array.of(0x84)
    ])
      expect(() => decodeShapes(bytes)).toThrow(expect.objectContaining(violation))
  })
})

describe('bodies that protobuf would take', () => {
  const refuse = (decode: () => unknown): void => {
    expect(decode).toThrow(CatalogError)
    expect(decode).toThrow(expect.objectContaining(violation))
  }
  const descend = (body: Partial<Parameters<typeof descendMessage.encode>[0]>): void =>
    refuse(() => descendMessage.decode(descendMessage.encode(body)))
  const opening = { nonce: new Uint8Array(16), records: 1, depth: 1, first: 0, count: 16 }

  it('are refused with fingerprints that fit no shapes', () => {
    const shapes = encodeShapes([stepShape(1), listShape(3)])
    descend({ shapes, fingerprints: new Uint8Array(4 * 18) })
    descend({ shapes, fingerprints: new Uint8Array(4 * 20) })
    descend({ fingerprints: new Uint8Array(1) })
  })

  it('are refused with subtrees outside the tree', () => {
    expect(descendMessage.decode(descendMessage.encode({ opening })).opening).toEqual(opening)
    for (const wrong of [{ depth: 6 }, { first: 1 }, { count: 0 }, { count: 17 }, { depth: 0, count: 16 }])
      descend({ opening: { ...opening, ...wrong } })
    descend({ opening: { ...opening, nonce: new Uint8Array(15) } })
    descend({ opening: { ...opening, records: 2 ** 31 } })
  })

  it('are refused with half a key, or more left than a set has', () => {
    refuse(() => wantMessage.decode(wantMessage.encode({ keys: new Uint8Array(7) })))
    refuse(() => wantMessage.decode(wantMessage.encode({ unresolved: 2 ** 31 })))
  })

  it('are refused as records without one, with whatever else there is', () => {
    // A field that nobody knows.
    refuse(() => recordsMessage.decode(Uint8Array.of(0x78, 0x80, 0x01)))
    refuse(() => recordsMessage.decode(recordsMessage.encode({ records: [new Uint8Array(0)] })))
  })

  it('are refused with half a cell, a short root or a long place', () => {
    const [, hello] = messages
    const body = hello!.body as Parameters<typeof syncHelloMessage.encode>[0]
    for (const wrong of [
      { cells: new Uint8Array(17) },
      { root: new Uint8Array(31) },
      { nonce: new Uint8Array(15) },
      { library: new Uint8Array(31) },
      { epoch: 0 },
      { records: 2 ** 31 }
    ])
      refuse(() => syncHelloMessage.decode(syncHelloMessage.encode({ ...body, ...wrong })))
  })

  it('are refused with half a key that went, or more than are told', () => {
    const changes = (keys: number): Uint8Array =>
      changesMessage.encode({ root: new Uint8Array(32), gone: new Uint8Array(32 * keys) })
    expect(changesMessage.decode(changes(MAX_TOLD_CHANGES)).gone).toHaveLength(32 * MAX_TOLD_CHANGES)
    expect(() => changes(MAX_TOLD_CHANGES + 1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
    refuse(() => changesMessage.decode(changes(0.5)))
    refuse(() => changesMessage.decode(changesMessage.encode({ root: new Uint8Array(31) })))
  })
})
