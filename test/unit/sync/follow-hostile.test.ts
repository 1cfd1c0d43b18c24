/** Peers that lie to who follows a library: whatever they say, the copy stays what it was, and honest peers make it equal after. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, DAY_MS } from '../../../base/index.ts'
import { createStatusRecord, KeyFamily, makeKey } from '../../../library/index.ts'
import { abortFrame, encodeFrame, encodeSyncMessage, type SyncMessage } from '../../../protocols/index.ts'
import { decodeHead, type HeadStatement, readHead, signHead } from '../../../sync/index.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { follow, numbered, parse, range, type SessionOptions, SyncHome } from './homes.ts'
import { changing, inTurn } from './hostile.ts'
import { framesOf, messagesOf } from './sides.ts'
import { hashOf } from './tries.ts'

let writer: SyncHome
let reader: SyncHome
let before: string[]
const homes: SyncHome[] = []

async function open(name: string): Promise<SyncHome> {
  const home = await SyncHome.open(name)
  homes.push(home)
  return home
}

/** A reader that follows a writer of 120 releases, who has published ten more since. */
beforeEach(async () => {
  writer = await open('writer')
  reader = await open('reader')
  await writer.publish(...range(0, 120))
  await follow(reader, writer)
  before = await reader.followedWhole()
  await writer.publish(...range(120, 130))
})
afterEach(async () => {
  await Promise.all(homes.splice(0).map(home => home.close()))
})

async function codeOf(session: Promise<unknown>): Promise<string> {
  try {
    await session
    return 'OK'
  } catch (error) {
    if (error instanceof CatalogError) return error.code
    throw error
  }
}

/** Ends with an error, changes nothing, and the truth is taken after. */
async function expectRefused(code: string, options: SessionOptions, source = writer): Promise<void> {
  expect(await codeOf(follow(reader, source, options))).toBe(code)
  expect(await reader.followedWhole()).toEqual(before)
  expect(await reader.registry.versions('package-125')).toEqual([])
  expect(await follow(reader, writer)).toMatchObject({ received: 10, records: 130 })
  expect(await reader.followedWhole()).toEqual([await writer.root()])
}

const always =
  (change: (messages: SyncMessage[]) => SyncMessage[]) =>
  async (frames: Uint8Array[]): Promise<Uint8Array[]> =>
    framesOf(change(await messagesOf(frames)))

/** The last head of the writer, with other words. */
function headLike(over: Partial<HeadStatement>, signer = writer.key): Uint8Array {
  const {
    bytes: _,
    hash: __,
    writer: ___,
    ...last
  } = readHead(writer.reader, writer.library, writer.key.publicKey)!
  return signHead({ ...last, ...over }, signer).bytes
}

const withHead = (head: Uint8Array) =>
  inTurn(
    0,
    changing('head', () => ({ head }))
  )

describe('a head', () => {
  test.each<[string, string, () => Uint8Array]>([
    ['of another writer', 'HEAD_INVALID', () => headLike({}, keyOf('mallory'))],
    ['of another library', 'HEAD_INVALID', () => headLike({ library: hashOf('another') })],
    [
      'that is dated ahead',
      'RECORD_EARLY',
      () => headLike({ time: NOW_MS + DAY_MS, expires: NOW_MS + 2 * DAY_MS })
    ],
    [
      'of another root than what is shown',
      'SYNC_DIVERGED',
      () => headLike({ root: hashOf('x'), revision: 999 })
    ],
    [
      'with another signature',
      'SIGNATURE_INVALID',
      () => headLike({}).map((byte, at, all) => (at === all.length - 70 ? byte ^ 1 : byte))
    ]
  ])('%s is not believed', async (_, code, head) => {
    const session = follow(reader, writer, { change: withHead(head()) })
    const got = await codeOf(session)
    // A bit of the signed bytes may also break the form.
    expect([code, ...(code === 'SIGNATURE_INVALID' ? ['HEAD_INVALID'] : [])]).toContain(got)
    expect(await reader.followedWhole()).toEqual(before)
  })

  test('that contradicts the one that is known is kept as evidence, and nothing is taken', async () => {
    const { root, revision, epoch } = readHead(reader.reader, writer.library, writer.key.publicKey)!
    expect(Buffer.from(root).toString('hex')).toBe(before[0])
    const other = headLike({ epoch, revision, root: hashOf('a second story') })
    expect(await codeOf(follow(reader, writer, { change: withHead(other) }))).toBe('HEAD_CONTRADICTED')
    expect(await reader.sets.evidence()).toHaveLength(1)
    expect(await reader.followedWhole()).toEqual(before)
  })

  test('that comes late, twice or never ends the session', async () => {
    const isHead = ({ kind }: SyncMessage): boolean => kind === 'head'
    const late = always(messages => [...messages.filter(m => !isHead(m)), ...messages.filter(isHead)])
    await expectRefused('PROTOCOL_VIOLATION', { change: late })
    await writer.publish(numbered(130))
    before = await reader.followedWhole()
    const twice = always(messages => [...messages.filter(isHead), ...messages])
    expect(await codeOf(follow(reader, writer, { change: twice }))).toBe('PROTOCOL_VIOLATION')
    expect(await reader.followedWhole()).toEqual(before)
  })

  test('of an earlier state takes nothing back', async () => {
    const old = readHead(reader.reader, writer.library, writer.key.publicKey)!.bytes
    await follow(reader, writer)
    const now = await reader.followedWhole()
    await writer.publish(numbered(130))
    const result = await follow(reader, writer, { change: withHead(decodeHead(old).bytes) })
    expect(result).toMatchObject({ state: 'behind', received: 0 })
    expect(await reader.followedWhole()).toEqual(now)
  })
})

describe('records', () => {
  const records = (change: (records: Uint8Array[]) => Uint8Array[]) =>
    always(changing('records', ({ records }) => ({ records: change([...records]) })))
  /** Behind its key `sig` and the head of 64 bytes. */
  const forged = (bytes: Uint8Array): Uint8Array => {
    const at = Buffer.from(bytes).indexOf(Buffer.from('63736967', 'hex')) + 16
    return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
  }

  test('whose signature does not hold are refused, and nothing of the session stays', async () => {
    const change = records(([first, ...rest]) => [forged(first!), ...rest])
    await expectRefused('SIGNATURE_INVALID', { change })
  })

  test('that are none are refused: frames of nothing could come without end', async () => {
    const none = encodeFrame([6], Uint8Array.of(0x78, 0x80, 0x01))
    await expectRefused('PROTOCOL_VIOLATION', {
      change: async (frames, turn) => (turn === 0 ? [frames[0]!, none, ...frames.slice(1)] : frames)
    })
  })

  test('that are valid and belong to no library here are refused', async () => {
    await expectRefused('PROTOCOL_VIOLATION', { change: records(() => [numbered(7777).bytes]) })
  })

  test('that are left out are missed: the root says so', async () => {
    await expectRefused('SYNC_DIVERGED', {
      change: always(messages => messages.filter(({ kind }) => kind !== 'records'))
    })
  })

  test('of which a mirror hides one cannot pass for the library', async () => {
    const mirror = await open('mirror')
    await follow(mirror, writer)
    const [known] = await writer.registry.versions('package-3')
    const yank = createStatusRecord(
      { ...known!.release, state: 'yanked', sequence: NOW_MS + 1 },
      keyOf('ada')
    )
    await writer.registry.publishStatement(yank.bytes)
    // It shows the head that it has heard of, and the set of before.
    const head = readHead(writer.reader, writer.library, writer.key.publicKey)!.bytes
    const session = follow(reader, mirror, { of: writer, change: withHead(head) })
    expect(await codeOf(session)).toBe('SYNC_DIVERGED')
    expect(await reader.followedWhole()).toEqual(before)
    expect(reader.registry.status(known!.release)).toBeUndefined()
  })
})

describe('a sketch', () => {
  test('that is poisoned costs a comparison, and the copy is right', async () => {
    await writer.publish(...range(200, 260))
    let poisoned = 0
    const change = always(
      changing('sketch', ({ cells }) => {
        poisoned++
        return { cells: cells.map((byte, at) => (at % 5 === 0 ? byte ^ 1 : byte)) }
      })
    )
    expect(await follow(reader, writer, { change })).toMatchObject({ state: 'updated', records: 190 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(poisoned).toBeLessThanOrEqual(1)
  })

  test('and wants that are made up make the follower drop and take again, no more', async () => {
    const all = range(0, 30).map(({ bytes }) => bytes)
    expect(all).toHaveLength(30)
    const change = inTurn(
      0,
      changing('want', () => ({ keys: Buffer.from('0102030405060708', 'hex'), unresolved: 0 }))
    )
    expect(await follow(reader, writer, { change })).toMatchObject({ records: 130 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })
})

describe('any bytes', () => {
  test('from a source leave the copy whole, and end the session or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(6),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('incremental' as const, 'differential' as const),
        async (turn, at, flip, strategy) => {
          const change = (frames: Uint8Array[], number: number): Uint8Array[] => {
            if (number !== turn % 3) return frames
            const all = Buffer.concat(frames)
            if (all.byteLength > 0) all[at % all.byteLength]! ^= flip
            return [all]
          }
          const code = await codeOf(follow(reader, writer, { change, strategy }))
          expect(['INTERNAL', 'TREE_DAMAGED', 'CONTENT_CORRUPT']).not.toContain(code)
          expect([before, [await writer.root()]]).toContainEqual(await reader.followedWhole())
        }
      ),
      { numRuns: 60, seed: 20261129 }
    )
    await follow(reader, writer)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })

  const showing = () =>
    ({
      role: 'source',
      local: writer.key.publicKey,
      remote: reader.key.publicKey,
      node: reader.key.publicKey,
      compareInMs: 0,
      sketchInMs: 0
    }) as const

  test('are none where a follower gives up before its first word', async () => {
    const [given] = await parse([abortFrame(new CatalogError('BUSY', 'the disk is too slow'))])
    await writer.sets.session(showing(), async port => {
      expect(await codeOf(port.take(given!))).toBe('BUSY')
    })
  })

  test('from a follower change nothing at the source', async () => {
    const root = await writer.root()
    const options = showing()
    const record: SyncMessage = { kind: 'records', body: { records: [numbered(9).bytes] } }
    for (const message of [record, { kind: 'fin', body: { root: hashOf('x') } } as const])
      await writer.sets.session(options, async port => {
        const frame = encodeSyncMessage(message)
        const take = port.take({
          kind: message.kind,
          body: Uint8Array.from(frame.subarray(frame.byteLength < 130 ? 2 : 3)),
          sizeBytes: frame.byteLength
        })
        expect(await codeOf(take)).toBe('PROTOCOL_VIOLATION')
      })
    expect(await writer.root()).toBe(root)
    let rows = 0
    for await (const _ of writer.reader.iterate({ prefix: makeKey(KeyFamily.Membership) })) rows++
    expect(rows).toBe(130)
  })
})
