/** What changed since a head, told out of the log by the writer of a library: one round trip, and never a wrong copy. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { HOME_LIBRARY, KeyFamily, makeKey, recordHash, trieKey } from '../../../library/index.ts'
import { MAX_TOLD_CHANGES, type SyncMessage } from '../../../protocols/index.ts'
import { MAX_LOGGED_CHANGES, signHead } from '../../../sync/index.ts'
import { NOW_MS } from '../records/examples.ts'
import { follow, numbered, range, type SessionOptions, type SessionResult, SyncHome } from './homes.ts'
import { changing, inTurn } from './hostile.ts'
import { converge, numbered as inMemory, Side } from './sides.ts'
import { hashOf } from './tries.ts'

let writer: SyncHome
let reader: SyncHome
const homes: SyncHome[] = []

async function open(name: string): Promise<SyncHome> {
  const home = await SyncHome.open(name)
  homes.push(home)
  return home
}

beforeEach(async () => {
  writer = await open('writer')
  reader = await open('reader')
  await writer.publish(...range(0, 120))
  await follow(reader, writer)
})
afterEach(async () => {
  await Promise.all(homes.splice(0).map(home => home.close()))
})

const incremental = (options: SessionOptions = {}): Promise<SessionResult> =>
  follow(reader, writer, { strategy: 'incremental', ...options })

async function expectEqual(): Promise<void> {
  expect(await reader.followedWhole()).toEqual([await writer.root()])
}

async function remove(name: string): Promise<void> {
  const [release] = await writer.registry.versions(name)
  await writer.registry.remove(release!.id)
}

/** One that comes, one that is replaced, one that goes. */
async function change(): Promise<void> {
  await writer.publish(numbered(200))
  await writer.registry.revise(numbered(7, NOW_MS + 1).bytes)
  await remove('package-9')
}

describe('changes since a head', () => {
  test('are all that comes, behind the head, in one turn', async () => {
    await change()
    const result = await incremental()
    expect(result).toMatchObject({ state: 'updated', way: 'log', received: 2, removed: 2, records: 120 })
    expect(result.frames, 'head, records, changes').toBe(3)
    const records = [numbered(200), numbered(7, NOW_MS + 1)].map(({ bytes }) => bytes.byteLength)
    expect(result.bytes - records[0]! - records[1]!).toBeLessThan(500)
    await expectEqual()
    expect(await reader.registry.versions('package-200')).toHaveLength(1)
    expect(await incremental()).toMatchObject({ state: 'equal', way: undefined })
  })

  test('are said in a dry run too, and change nothing', async () => {
    const before = await reader.followedWhole()
    await change()
    expect(await incremental({ isDryRun: true })).toMatchObject({ way: 'log', received: 2, removed: 2 })
    expect(await reader.followedWhole()).toEqual(before)
  })

  test('that undo or replace each other are told as what is there now', async () => {
    await writer.publish(numbered(300))
    await remove('package-300')
    for (const later of [1, 2]) await writer.registry.revise(numbered(7, NOW_MS + later).bytes)
    expect(await incremental()).toMatchObject({ way: 'log', received: 1, removed: 1, records: 120 })
    await expectEqual()
  })

  test('are not asked for by a comparison', async () => {
    await change()
    expect(await follow(reader, writer)).toMatchObject({ way: 'sketch', received: 2, removed: 2 })
    await expectEqual()
  })

  test('since another epoch are not told', async () => {
    await change()
    const { head } = await writer.sets.state(HOME_LIBRARY)
    const { bytes: _, hash: __, writer: ___, ...last } = head!
    const forgotten = signHead({ ...last, epoch: last.epoch + 1 }, writer.key)
    expect(await writer.sets.take(forgotten.bytes)).toBe('forgotten')
    expect(await incremental()).toMatchObject({ way: 'stream', received: 2 })
    await expectEqual()
  })
})

describe('where the log does not say it, what differs is looked for', () => {
  const lastRow = async (): Promise<Uint8Array> => {
    const rows = await Array.fromAsync(writer.reader.iterate({ prefix: makeKey(KeyFamily.ChangeLog) }))
    return rows.at(-1)![0]
  }
  const row = (changes: readonly Uint8Array[]): Uint8Array => Buffer.concat([Uint8Array.of(1), ...changes])

  test.each<[string, Uint8Array]>([
    ['it cannot be read', Buffer.from('rotten')],
    ['it leaves something out', row([])],
    ['it names a record that is not there', row([hashOf('key'), hashOf('record')])],
    ['it says that something went which is there', row([trieKey(numbered(1)), new Uint8Array(32)])]
  ])('because %s', async (_, value) => {
    await writer.publish(numbered(400))
    await writer.write([{ type: 'put', key: await lastRow(), value }])
    expect(await incremental()).toMatchObject({ state: 'updated', received: 1, records: 121 })
    await expectEqual()
  })

  test('because a row is gone', async () => {
    await writer.publish(numbered(400))
    await writer.write([{ type: 'del', key: await lastRow() }])
    expect(await incremental()).toMatchObject({ way: 'stream', received: 1 })
    await expectEqual()
  })

  test('because too much has changed', async () => {
    const gone = Array.from({ length: MAX_LOGGED_CHANGES }, (_, at) => [hashOf(`${at}`), new Uint8Array(32)])
    for (let round = 0; round <= MAX_TOLD_CHANGES / MAX_LOGGED_CHANGES; round++) {
      await writer.publish(numbered(600 + round))
      await writer.write([{ type: 'put', key: await lastRow(), value: row(gone.flat()) }])
    }
    expect(await incremental()).toMatchObject({ way: 'stream', received: 5 })
    await expectEqual()
  })

  test('because the peer only has a copy', async () => {
    const mirror = await open('mirror')
    await writer.publish(numbered(500))
    await follow(mirror, writer)
    const result = await follow(reader, mirror, { of: writer, strategy: 'incremental' })
    expect(result).toMatchObject({ way: 'stream', received: 1 })
    await expectEqual()
  })

  test('because the peer knows of no such question, whose lists of everything it does not get', async () => {
    const both = Array.from({ length: 5000 }, (_, number) => inMemory(number))
    const [a, b] = [
      new Side('a', both),
      new Side('b', [...both, ...[7000, 7001, 7002].map(n => inMemory(n))])
    ]
    a.known = { epoch: 1 }
    const course = await converge(a, b)
    expect(course.turns).toEqual(['hello', 'sketch', 'want', 'records+fin', 'fin'])
    expect(course.bytes).toBeLessThan(1400)
    expect(a.root).toBe(b.root)
  })
})

describe('a writer that lies', () => {
  const lying = (lie: (messages: SyncMessage[]) => SyncMessage[]): SessionOptions => ({
    change: inTurn(0, lie)
  })

  test.each<[string, (messages: SyncMessage[]) => SyncMessage[]]>([
    ['leaves records out', messages => messages.filter(({ kind }) => kind !== 'records')],
    ['keeps what went to itself', changing('changes', () => ({ gone: new Uint8Array() }))],
    ['names keys that did not go', changing('changes', () => ({ gone: trieKey(numbered(3)) }))]
  ])('and %s costs a comparison, and the copy is right', async (_, lie) => {
    await change()
    const result = await incremental(lying(lie))
    expect(result).toMatchObject({ state: 'updated', records: 120 })
    expect(result.way).not.toBe('log')
    await expectEqual()
  })

  test.each<[string, string, (messages: SyncMessage[]) => SyncMessage[]]>([
    ['another root than its head', 'SYNC_DIVERGED', changing('changes', () => ({ root: hashOf('x') }))],
    [
      'a key twice',
      'PROTOCOL_VIOLATION',
      changing('changes', ({ gone }) => ({ gone: Buffer.concat([gone, gone]) }))
    ],
    [
      'records twice',
      'PROTOCOL_VIOLATION',
      messages => [...messages.filter(({ kind }) => kind === 'records'), ...messages].toSorted(byKind)
    ]
  ])('and tells %s is cut, and the copy stays what it was', async (_, code, lie) => {
    const before = await reader.followedWhole()
    await change()
    await expect(incremental(lying(lie))).rejects.toMatchObject({ code })
    expect(await reader.followedWhole()).toEqual(before)
    expect(await incremental()).toMatchObject({ way: 'log' })
    await expectEqual()
  })

  test('and tells changes to who did not ask is cut', async () => {
    await change()
    const { root } = await writer.sets.state(HOME_LIBRARY)
    const lie = (messages: SyncMessage[]): SyncMessage[] => [
      ...messages.filter(({ kind }) => kind === 'head'),
      { kind: 'changes', body: { root, gone: new Uint8Array() } }
    ]
    const session = follow(reader, writer, lying(lie))
    await expect(session).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    expect(await session.catch(error => error)).toBeInstanceOf(CatalogError)
  })
})

/** The head first, and what ends the turn last. */
const byKind = (a: SyncMessage, b: SyncMessage): number => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind)
const ORDER: readonly SyncMessage['kind'][] = ['head', 'records', 'changes']

describe('everything anew', () => {
  const full = (options: SessionOptions = {}): Promise<SessionResult> =>
    follow(reader, writer, { strategy: 'full', ...options })

  test('comes whatever is here, and takes the place of the copy', async () => {
    const [{ row }] = (await reader.followed()) as [Awaited<ReturnType<SyncHome['followed']>>[0]]
    await change()
    expect(await full()).toMatchObject({ state: 'updated', way: 'stream', received: 120, records: 120 })
    await expectEqual()
    expect((await reader.followed())[0]!.row).toMatchObject({ staged: 0, retiring: 0 })
    expect((await reader.followed())[0]!.row.copy).not.toBe(row.copy)
    const memberships = await Array.fromAsync(
      reader.reader.iterate({ prefix: makeKey(KeyFamily.Membership) })
    )
    expect(memberships, 'nothing is left of the copy before').toHaveLength(120)
  })

  test('mends a record that was damaged here, though both roots are the same', async () => {
    const key = makeKey(KeyFamily.Record, recordHash(numbered(5).bytes))
    const value = Uint8Array.from(reader.reader.get(key)!)
    value[value.byteLength >> 1]! ^= 1
    await reader.write([{ type: 'put', key, value }])
    expect(await incremental()).toMatchObject({ state: 'equal' })
    await expect(expectEqual()).rejects.toThrow('damaged')
    expect(await full()).toMatchObject({ received: 120 })
    await expectEqual()
  })

  test('that is cut off leaves the copy that counts, and begins again', async () => {
    const before = await reader.followedWhole()
    await writer.publish(...range(120, 700))
    await expect(full({ cutAfterFrames: 3 })).rejects.toMatchObject({ message: 'the connection was lost' })
    expect(await reader.followedWhole()).toEqual(before)
    expect(await full()).toMatchObject({ received: 700, records: 700 })
    await expectEqual()
  })
})
