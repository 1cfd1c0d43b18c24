/** The heads that a node keeps: its own, signed with each change, those of others, and what shows that somebody told two stories. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { KeyFamily, makeKey, type SetChange, type WriteOperation } from '../../../library/index.ts'
import {
  HEAD_LIFETIME_MS,
  type Head,
  type HeadStatement,
  HeadStore,
  libraryIdOf,
  MAX_LOGGED_CHANGES,
  MAX_LOGGED_HEADS,
  readChanges,
  readEvidence,
  readHead,
  signHead
} from '../../../sync/index.ts'
import type { SigningKey } from '../../../trust/index.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { openMemory, type TestDatabase } from '../registry/databases.ts'
import { hashOf, record } from './tries.ts'

const node = keyOf('a node')
const other = keyOf('another node')
const own = libraryIdOf(node.publicKey, 'home')
const followed = libraryIdOf(other.publicKey, 'home')
let database: TestDatabase
let store: HeadStore

const open = (place = 'here'): HeadStore =>
  new HeadStore({ reader: database, signer: node, log: silentLogger }, { place: Buffer.from(place) })

beforeEach(async () => {
  database = await openMemory()
  store = open()
})
afterEach(() => database.close())

const commit = (operations: WriteOperation[]): Promise<void> => database.write(operations, { sync: true })

async function sign(root: string, changes: SetChange[] = [], nowMs = NOW_MS): Promise<Head> {
  await commit(store.next(own, { root: hashOf(root), isClosed: false, changes, nowMs }))
  return readHead(database, own, node.publicKey)!
}

async function take(head: Head, root = hashOf('the root now')): Promise<string> {
  const { verdict, operations } = await store.take(head, { own: { root, isClosed: false }, nowMs: NOW_MS })
  await commit(operations)
  return verdict
}

const headOf = (revision: number, over: Partial<HeadStatement> = {}, key: SigningKey = other): Head =>
  signHead(
    {
      library: followed,
      epoch: 5,
      revision,
      time: NOW_MS,
      expires: NOW_MS + HEAD_LIFETIME_MS,
      root: hashOf(`root ${revision}`),
      ...(revision === 1 ? {} : { previous: hashOf('the one before') }),
      ...over
    },
    key
  )

const rows = async (family: string): Promise<number> => {
  let count = 0
  for await (const _ of database.iterate({ prefix: makeKey(family) })) count++
  return count
}

describe('the heads of one’s own libraries', () => {
  test('are a chain, and each says what it changed', async () => {
    const changes = [record(1), { ...record(2), recHash: undefined }]
    const one = await sign('a', changes)
    const two = await sign('b', [record(2)])
    await sign('b')
    await sign('c')
    expect([one.revision, two.revision, one.epoch, two.epoch]).toEqual([1, 2, NOW_MS, NOW_MS])
    expect([one.previous, two.previous]).toEqual([undefined, one.hash])
    expect(two).toMatchObject({ library: own, writer: node.publicKey, root: hashOf('b') })
    expect(two.expires).toBe(NOW_MS + HEAD_LIFETIME_MS)
    expect(readChanges(database, own, 1)).toEqual(changes)
    expect(readChanges(database, own, 2)).toEqual([record(2)])
    expect(readChanges(database, own, 3)).toEqual([])
    expect(readChanges(database, own, 4), 'a root became another, and nobody knows by what').toBeUndefined()
  })

  test('begin a new epoch where the home stands elsewhere, and only once', async () => {
    const one = await sign('a')
    store = open('a copy')
    const two = await sign('b', [], NOW_MS + 5)
    const three = await sign('c', [], NOW_MS + 6)
    expect([two.epoch, two.revision, two.previous]).toEqual([NOW_MS + 5, 2, one.hash])
    expect(three.epoch).toBe(two.epoch)
  })

  test('begin a new epoch when one comes back that is not remembered, at once and with the root of now', async () => {
    const one = await sign('a')
    const before = database.commits.length
    expect(await take(one)).toBe('known')
    const forgotten = signHead({ ...one, root: hashOf('x') }, node)
    expect(await take(forgotten)).toBe('forgotten')
    expect(database.commits.length).toBe(before + 2)
    const next = readHead(database, own, node.publicKey)!
    expect([next.epoch, next.revision, next.root]).toEqual([NOW_MS + 1, 2, hashOf('the root now')])
    expect(await take(forgotten), 'it is of an earlier epoch now').toBe('known')
    expect(await rows(KeyFamily.HeadEvidence)).toBe(0)
  })

  test('go on in a new epoch when the last one cannot be read any more', async () => {
    await sign('a')
    const [key] = (await Array.fromAsync(database.iterate({ prefix: makeKey(KeyFamily.Head) })))[0]!
    await commit([{ type: 'put', key, value: Buffer.from('rotten') }])
    expect(await sign('b', [], NOW_MS + 7)).toMatchObject({ epoch: NOW_MS + 7, revision: 1 })
    expect(readChanges(database, own, 1), 'what an earlier head of this number changed').toBeUndefined()
  })

  test('are logged no longer than is promised, and no change of very many records', async () => {
    const many = Array.from({ length: MAX_LOGGED_CHANGES + 1 }, (_, number) => record(number))
    await sign('many', many)
    await sign('fewer', many.slice(1))
    expect(readChanges(database, own, 1)).toBeUndefined()
    expect(readChanges(database, own, 2)).toHaveLength(MAX_LOGGED_CHANGES)
    for (let head = 3; head <= MAX_LOGGED_HEADS + 2; head++) await sign('fewer')
    expect(await rows(KeyFamily.ChangeLog)).toBe(MAX_LOGGED_HEADS)
    expect(readChanges(database, own, 2)).toBeUndefined()
    expect(readChanges(database, own, 3)).toEqual([])
  })
})

describe('the heads of others', () => {
  test('are kept when they are newer, and only then', async () => {
    expect(await take(headOf(4))).toBe('newer')
    expect(await take(headOf(2))).toBe('older')
    expect(await take(headOf(4))).toBe('known')
    expect(await take(headOf(9))).toBe('newer')
    expect(readHead(database, followed, other.publicKey)).toMatchObject({ revision: 9 })
    expect(await rows(KeyFamily.Head)).toBe(1)
  })

  test('that contradict each other are kept as evidence, once each and only so many', async () => {
    const known = headOf(3)
    await take(known)
    const forged = headOf(3, { root: hashOf('another') })
    expect(await take(forged)).toBe('contradiction')
    expect(await take(headOf(3, { root: hashOf('a third') }))).toBe('contradiction')
    expect(readHead(database, followed, other.publicKey)?.root, 'the first stays').toEqual(known.root)
    expect(await Array.fromAsync(readEvidence(database))).toEqual([{ known, incoming: forged }])
    for (let revision = 10; revision < 40; revision += 2) {
      await take(headOf(revision))
      await take(headOf(revision, { root: hashOf('another') }))
    }
    expect(await rows(KeyFamily.HeadEvidence)).toBe(8)
  })

  test('are taken from so many writers of one library', async () => {
    for (let writer = 0; writer < 256; writer++) await take(headOf(3, {}, keyOf(`writer ${writer}`)))
    await expect(take(headOf(3))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(await take(headOf(9, {}, keyOf('writer 7'))), 'those that are known may go on').toBe('newer')
  })

  test('of a library of one’s own that is gone lead to nothing', async () => {
    const lost = headOf(3, { library: own }, node)
    const { verdict, operations } = await store.take(lost, { own: undefined, nowMs: NOW_MS })
    expect([verdict, operations]).toEqual(['forgotten', []])
  })
})
