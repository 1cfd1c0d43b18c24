import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { Registry as MetricsRegistry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../../base/index.ts'
import { encodeU64, KeyFamily, makeKey, nameIndexKey, recordKey } from '../../../library/database/keys.ts'
import type { WriteOperation } from '../../../library/database/types.ts'
import {
  createReleaseRecord,
  type NewRelease,
  type ReleaseRecord,
  recordHash,
  supersedes
} from '../../../library/records/index.ts'
import {
  type Announcement,
  createRegistry,
  MAX_CLOCK_AHEAD_MS,
  MAX_CONTENTS_PER_VERSION,
  type Registry,
  readAnnouncement,
  readAnnouncements,
  scheduleAnnouncement
} from '../../../library/registry/index.ts'
import { encodeIndexValue, MAX_VERSIONS } from '../../../library/registry/read.ts'
import { formatPublicKey, sha256 } from '../../../trust/index.ts'
import { contentOf, full, keyOf, NOW_MS, small } from '../records/examples.ts'
import { openDisk, openMemory, serialWriter, type TestDatabase } from './databases.ts'

const ada = keyOf('ada')
const bob = keyOf('bob')
const clock: Clock = { ...systemClock, now: () => NOW_MS }
const withCode = (code: string): object => expect.objectContaining({ code })
const release = (over: Partial<NewRelease> = {}, key = ada): ReleaseRecord =>
  createReleaseRecord(small(over), key)

describe.each([
  ['memory', openMemory],
  ['LevelDB', openDisk]
])('registry on %s', (_, open) => {
  let database: TestDatabase
  let registry: Registry
  const metrics = new MetricsRegistry()

  beforeEach(async () => {
    database = await open()
    metrics.clear()
    registry = createRegistry({ database, writer: serialWriter(database), clock, metrics })
  })
  afterEach(() => database.close())

  const keysOf = async (family: string): Promise<number> => {
    let count = 0
    for await (const _row of database.iterate({ prefix: makeKey(family) })) count++
    return count
  }
  const rowCounts = async (): Promise<number[]> =>
    Promise.all([KeyFamily.Record, KeyFamily.RecordId, KeyFamily.NameIndex, KeyFamily.Membership].map(keysOf))

  test('pages for peers go to the last of more than a thousand versions, and read no more than they give', async () => {
    const operations: WriteOperation[] = []
    const records = Array.from({ length: 1100 }, (_, i) => release({ version: `1.${i}.0` }))
    for (const record of records) {
      const recHash = recordHash(record.bytes)
      const { name, version, owner } = record.release
      operations.push({
        type: 'put',
        key: nameIndexKey({ name, version, owner, recHash }),
        value: encodeIndexValue(record, false)
      })
      operations.push({ type: 'put', key: recordKey(recHash), value: record.bytes })
    }
    await database.write(operations, { sync: true })
    const { name } = records[0]!.release
    const seen: string[] = []
    let after: Uint8Array | undefined
    do {
      const page = await registry.storedPage({ name, limit: 500, ...(after === undefined ? {} : { after }) })
      seen.push(...page.records.map(({ bytes }) => Buffer.from(recordHash(bytes)).toString('hex')))
      after = page.hasMore ? page.records.at(-1)!.cursor : undefined
    } while (after !== undefined)
    expect(seen).toEqual(
      records.toReversed().map(({ bytes }) => Buffer.from(recordHash(bytes)).toString('hex'))
    )
    let read = 0
    const getMany = (keys: Uint8Array[]): ReturnType<TestDatabase['getMany']> => {
      read += keys.length
      return database.getMany(keys)
    }
    const modules = { database: { ...database, getMany }, writer: serialWriter(database), clock }
    const counting = createRegistry(modules)
    await counting.storedPage({ name, limit: 1 })
    const old = await counting.storedPage({ name, version: '1.0.0', limit: 64 })
    expect(old.records).toHaveLength(1)
    expect(read).toBe(2)
  })

  test('a record whose row is lost can be published anew', async () => {
    const record = release()
    await registry.add(record.bytes)
    await database.write([{ type: 'del', key: recordKey(recordHash(record.bytes)) }], { sync: true })
    expect(registry.get(record.id)).toBeUndefined()
    expect(await registry.publish(record.bytes)).toMatchObject({ added: true })
    expect(registry.get(record.id)?.bytes).toEqual(record.bytes)
    expect(await rowCounts()).toEqual([1, 1, 1, 1])
  })

  test('what is published is found by id and by name, and is due for announcement', async () => {
    const record = createReleaseRecord(full(), ada)
    const result = await registry.publish(record.bytes)
    expect(result.added).toBe(true)
    expect(registry.get(record.id)).toEqual(record)
    expect(await registry.versions('@acme/hello-world')).toEqual([record])
    expect((await registry.list({ limit: 10 })).releases).toEqual([record])
    expect([registry.count(), registry.revision()]).toEqual([1, 1])
    expect(readAnnouncement(database, '@acme/hello-world')).toEqual({
      name: '@acme/hello-world',
      dueMs: NOW_MS,
      addedMs: NOW_MS
    })
    expect(await metrics.metrics()).toContain('catalog_registry_home_releases 1')
    expect(registry.get(contentOf('unknown'))).toBeUndefined()
    expect(await registry.versions('@acme/hello')).toEqual([])
  })

  test('one batch holds everything a publish needs', async () => {
    await registry.publish(release().bytes)
    expect(database.commits).toHaveLength(1)
    expect(await rowCounts()).toEqual([1, 1, 1, 1])
  })

  test('publishing the same content again returns what is stored, other content is refused', async () => {
    const first = release()
    await registry.publish(first.bytes)
    const again = await registry.publish(release({ sequence: NOW_MS + 1, description: 'x' }).bytes)
    expect(again).toEqual({ added: false, record: first })
    const other = release({ content: contentOf('other'), sequence: NOW_MS + 2 })
    await expect(registry.publish(other.bytes)).rejects.toMatchObject({
      code: 'RELEASE_EXISTS',
      details: {
        publisher: formatPublicKey(ada.publicKey),
        publishedContent: first.release.content.toString()
      }
    })
    expect([registry.count(), registry.revision()]).toEqual([1, 1])
    expect(await registry.versions('hello')).toEqual([first])
    const bobs = release({ content: contentOf('other') }, bob)
    expect((await registry.publish(bobs.bytes)).added).toBe(true)
    expect(await registry.versions('hello')).toHaveLength(2)
  })

  test('a version stays taken when its release is removed; the same content comes back, and what a peer signed takes nothing', async () => {
    const first = release()
    const second = release({ content: contentOf('other'), sequence: NOW_MS + 1 })
    await registry.publish(first.bytes)
    await registry.remove(first.id)
    await expect(registry.publish(second.bytes)).rejects.toMatchObject({
      code: 'RELEASE_EXISTS',
      details: { publishedContent: first.release.content.toString() }
    })
    expect((await registry.publish(release({ version: '9.0.0' }).bytes)).added).toBe(true)
    expect((await registry.publish(first.bytes)).added).toBe(true)
    // Nobody has what was in the private library only.
    const draft = release({ version: '3.0.0' })
    await registry.publish(draft.bytes, { libraryId: 'private' })
    await registry.remove(draft.id)
    const better = release({ version: '3.0.0', content: contentOf('other'), sequence: NOW_MS + 1 })
    expect((await registry.publish(better.bytes)).added).toBe(true)
    const ofPeer = release({ version: '2.0.0' }, bob)
    await registry.add(ofPeer.bytes)
    await registry.remove(ofPeer.id)
    const bobs = release({ version: '2.0.0', content: contentOf('other') }, bob)
    expect((await registry.publish(bobs.bytes)).added).toBe(true)
  })

  test('two different contents published at once: exactly one is kept', async () => {
    const records = ['a', 'b', 'c'].map(text => release({ content: contentOf(text) }))
    const results = await Promise.allSettled(records.map(record => registry.publish(record.bytes)))
    expect(results.map(result => result.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(registry.count()).toBe(1)
    expect(await rowCounts()).toEqual([1, 1, 1, 1])
  })

  test('a record of a peer is kept but not in the home library; publishing it brings it there', async () => {
    const record = release()
    expect((await registry.add(record.bytes)).added).toBe(true)
    expect((await registry.add(record.bytes)).added).toBe(false)
    expect([registry.count(), registry.revision()]).toEqual([0, 0])
    expect(registry.get(record.id)).toEqual(record)
    expect(readAnnouncement(database, 'hello')).toBeUndefined()
    expect((await registry.publish(record.bytes)).added).toBe(true)
    expect((await registry.publish(record.bytes)).added).toBe(false)
    expect([registry.count(), registry.revision()]).toEqual([1, 1])
    expect(await rowCounts()).toEqual([1, 1, 1, 1])
  })

  test('a later record for the same key takes over place and memberships', async () => {
    const old = release()
    const later = release({ sequence: NOW_MS + 1, description: 'better words' })
    await registry.publish(old.bytes)
    expect((await registry.add(later.bytes)).record).toEqual(later)
    expect(await registry.add(old.bytes)).toEqual({ added: false, record: later })
    expect(registry.get(old.id)).toBeUndefined()
    expect(registry.get(later.id)).toEqual(later)
    expect([registry.count(), registry.revision()]).toEqual([1, 2])
    expect(await rowCounts()).toEqual([1, 1, 1, 1])
    expect((await registry.publish(later.bytes)).added).toBe(false)
  })

  test('publishing over an older record of a peer replaces it, over a newer one keeps that', async () => {
    const [first, second] = [release(), release({ sequence: NOW_MS + 1 })]
    await registry.add(first.bytes)
    expect((await registry.publish(second.bytes)).record).toEqual(second)
    expect(await rowCounts()).toEqual([1, 1, 1, 1])
    const [older, newer] = [
      release({ version: '2.0.0' }),
      release({ version: '2.0.0', sequence: NOW_MS + 1 })
    ]
    await registry.add(newer.bytes)
    expect(await registry.publish(older.bytes)).toEqual({ added: true, record: newer })
    expect(await rowCounts()).toEqual([2, 2, 2, 2])
    expect(registry.count()).toBe(2)
  })

  test('whatever the order in which records come, the same ones are kept', async () => {
    const records = [0, 1, 2, 3].flatMap(at => [
      release({ sequence: NOW_MS + (at % 2), description: `d${at}` }),
      release({ sequence: NOW_MS + at, content: contentOf(`c${at % 2}`) })
    ])
    const winners = new Map<string, ReleaseRecord>()
    for (const record of records) {
      const content = record.release.content.toString()
      const held = winners.get(content)
      if (held === undefined || supersedes(record, held)) winners.set(content, record)
    }
    const expected = [...winners.values()].map(record => record.id.toString()).sort()
    const orders = fc.shuffledSubarray(records, { minLength: records.length })
    await fc.assert(
      fc.asyncProperty(orders, async order => {
        const memory = await openMemory()
        const fresh = createRegistry({ database: memory, writer: serialWriter(memory), clock })
        for (const record of order) await fresh.add(record.bytes)
        const kept = await fresh.versions('hello')
        expect(kept.map(record => record.id.toString()).sort()).toEqual(expected)
      }),
      { seed: 4, numRuns: 20 }
    )
  })

  test('an owner cannot fill the disk with contents of one version', async () => {
    for (let i = 0; i < MAX_CONTENTS_PER_VERSION; i++)
      await registry.add(release({ content: contentOf(`${i}`) }).bytes)
    await expect(registry.add(release({ content: contentOf('more') }).bytes)).rejects.toEqual(
      withCode('LIMIT_EXCEEDED')
    )
    expect(await registry.versions('hello')).toHaveLength(MAX_CONTENTS_PER_VERSION)
  })

  test('records from the future wait for their time', async () => {
    const limit = NOW_MS + MAX_CLOCK_AHEAD_MS
    await expect(registry.add(release({ sequence: limit + 1 }).bytes)).rejects.toEqual(
      withCode('RECORD_EARLY')
    )
    await expect(registry.publish(release({ publishedAt: limit + 1 }).bytes)).rejects.toEqual(
      withCode('RECORD_EARLY')
    )
    expect((await registry.add(release({ sequence: limit, publishedAt: limit }).bytes)).added).toBe(true)
  })

  test('nothing forged, damaged or too large is stored', async () => {
    const map = dagCbor.decode<{ body: object }>(release().bytes)
    const forged = dagCbor.encode({ ...map, body: { ...map.body, content: contentOf('evil') } })
    for (const call of [registry.publish, registry.add].map(method => method.bind(registry))) {
      await expect(call(forged)).rejects.toEqual(withCode('SIGNATURE_INVALID'))
      await expect(call(forged.subarray(1))).rejects.toEqual(withCode('RECORD_INVALID'))
      await expect(call(new Uint8Array(1024 * 1024))).rejects.toEqual(withCode('RECORD_TOO_LARGE'))
      await expect(call(new Uint8Array(0))).rejects.toEqual(withCode('RECORD_INVALID'))
    }
    expect(database.commits).toEqual([])
  })

  test('bytes that changed on disk are not returned', async () => {
    const record = release()
    await registry.publish(record.bytes)
    const changed = Uint8Array.from(record.bytes)
    changed[20]! ^= 1
    const key = recordKey(recordHash(record.bytes))
    await database.write([{ type: 'put', key, value: changed }], { sync: true })
    expect(() => registry.get(record.id)).toThrow(expect.objectContaining({ code: 'CONTENT_CORRUPT' }))
    await expect(registry.versions('hello')).rejects.toEqual(withCode('CONTENT_CORRUPT'))
  })

  test('versions come highest first, prereleases before their release, owners apart', async () => {
    const versions = ['1.10.0', '1.9.0', '2.0.0-rc.1', '2.0.0', '2.0.0-rc.10', '0.1.0']
    for (const version of versions) await registry.add(release({ version }).bytes)
    await registry.add(release({ version: '1.9.0' }, bob).bytes)
    await registry.add(release({ name: 'hello-2', version: '9.0.0' }).bytes)
    expect((await registry.versions('hello')).map(record => record.release.version)).toEqual([
      '2.0.0',
      '2.0.0-rc.10',
      '2.0.0-rc.1',
      '1.10.0',
      '1.9.0',
      '1.9.0',
      '0.1.0'
    ])
    const owners: string[] = []
    for await (const entry of registry.entries({ name: 'hello', version: '1.9.0' })) {
      expect(registry.read(entry)?.release.version).toBe('1.9.0')
      owners.push(formatPublicKey(entry.owner))
    }
    expect(owners.sort()).toEqual([ada, bob].map(key => formatPublicKey(key.publicKey)).sort())
  })

  test('of a name with thousands of versions the highest are returned, and one is found among all', async () => {
    const rows: WriteOperation[] = []
    const versionOf = (at: number): string => `0.0.${at}`
    // Index rows are enough; only those that are looked for have a record behind them.
    for (let at = 0; at < 2500; at++) {
      const recHash = sha256(Buffer.from(versionOf(at)))
      const key = nameIndexKey({ name: 'hello', version: versionOf(at), owner: ada.publicKey, recHash })
      rows.push({ type: 'put', key, value: Buffer.concat([encodeU64(1), contentOf('x').bytes]) })
    }
    await database.write(rows, { sync: false })
    // Highest, the last that fits, the first that does not (three real records add three rows).
    const real = [2499, 2500 - MAX_VERSIONS + 2, 2500 - MAX_VERSIONS + 1]
    for (const at of real)
      await registry.add(release({ version: versionOf(at), content: contentOf('y') }).bytes)
    const found = (await registry.versions('hello')).map(record => record.release.version)
    expect(found).toEqual(real.slice(0, 2).map(versionOf))
    const ofOne: string[] = []
    for await (const entry of registry.entries({ name: 'hello', version: versionOf(1501) }))
      ofOne.push(entry.version)
    expect(ofOne).toEqual([versionOf(1501), versionOf(1501)])
  })

  test('pages cover everything once, in order, also while records are added', async () => {
    const names = Array.from({ length: 23 }, (_, i) => `p${String(i).padStart(2, '0')}`)
    for (const name of names) await registry.add(release({ name }).bytes)
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await registry.list({ limit: 5, ...(after === undefined ? {} : { after }) })
      expect(page.releases.length).toBeLessThanOrEqual(5)
      seen.push(...page.releases.map(record => record.release.name))
      if (after === undefined) await registry.add(release({ name: 'a-late-one' }).bytes)
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(names)
    for (const limit of [0, -1, 1.5, 1_000_000])
      await expect(registry.list({ limit })).rejects.toEqual(withCode('INVALID_ARGUMENT'))
    for (const cursor of ['x', '../..', ''])
      await expect(registry.list({ limit: 5, after: cursor })).rejects.toEqual(withCode('INVALID_ARGUMENT'))
  })

  test('an owner is pinned under a name', async () => {
    expect(registry.ownerPin('hello')).toBeUndefined()
    await registry.pinOwner('hello', ada.publicKey)
    expect(registry.ownerPin('hello')).toEqual(ada.publicKey)
    expect(registry.ownerPin('hell')).toBeUndefined()
    await expect(registry.pinOwner('../x', ada.publicKey)).rejects.toEqual(withCode('NAME_INVALID'))
    await expect(registry.pinOwner('hello', new Uint8Array(32))).rejects.toEqual(withCode('KEY_INVALID'))
  })

  const announcements = async (): Promise<Announcement[]> => {
    const all: Announcement[] = []
    for await (const entry of readAnnouncements(database)) all.push(entry)
    return all
  }

  test('an announcement moves on, and keeps when the name was first published', async () => {
    await registry.publish(release().bytes)
    const [entry] = await announcements()
    await database.write([scheduleAnnouncement({ ...entry!, dueMs: NOW_MS + 5, addedMs: 3 })], { sync: true })
    await registry.publish(release({ version: '1.0.1' }).bytes)
    expect(await announcements()).toEqual([{ name: 'hello', dueMs: NOW_MS, addedMs: 3 }])
  })
})
