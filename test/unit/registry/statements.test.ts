/** What is said of releases, and new words for them, in the registry. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Clock, DAY_MS, systemClock } from '../../../base/index.ts'
import { KeyFamily, makeKey, membershipKey } from '../../../library/database/keys.ts'
import {
  createAttestationRecord,
  createReleaseRecord,
  createStatusRecord,
  type NewRelease,
  type NewStatus,
  type ReleaseRecord,
  recordHash,
  type SignedRecord,
  type StatementRecord
} from '../../../library/records/index.ts'
import {
  createRegistry,
  MAX_CLOCK_AHEAD_MS,
  type Registry,
  readAnnouncement,
  scheduleAnnouncement
} from '../../../library/registry/index.ts'
import { HOME_LIBRARY } from '../../../library/registry/library-names.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { openDisk, openMemory, serialWriter, type TestDatabase } from './databases.ts'

const [ada, bob] = [keyOf('ada'), keyOf('bob')]
const clock: Clock = { ...systemClock, now: () => NOW_MS }
const withCode = (code: string): object => expect.objectContaining({ code })
const release = (over: Partial<NewRelease> = {}): ReleaseRecord => createReleaseRecord(small(over), ada)
const about = { name: 'hello', version: '1.0.0', content: contentOf('hello') }
const status = (over: Partial<NewStatus> = {}): StatementRecord =>
  createStatusRecord({ ...about, state: 'yanked', sequence: NOW_MS, ...over }, ada)
const attestation = (statement: string, over: object = {}): StatementRecord =>
  createAttestationRecord(
    { ...about, owner: ada.publicKey, statement, holds: true, sequence: NOW_MS, ...over },
    bob
  )

describe.each([
  ['memory', openMemory],
  ['LevelDB', openDisk]
])('on %s', (_, open) => {
  let database: TestDatabase
  let registry: Registry
  const meant = release().release

  beforeEach(async () => {
    database = await open()
    registry = createRegistry({ database, writer: serialWriter(database), clock })
  })
  afterEach(() => database.close())

  const rows = async (family: string): Promise<number> => {
    let count = 0
    for await (const _row of database.iterate({ prefix: makeKey(family) })) count++
    return count
  }
  const FAMILIES = [
    KeyFamily.Record,
    KeyFamily.RecordId,
    KeyFamily.NameIndex,
    KeyFamily.Status,
    KeyFamily.Attestation,
    KeyFamily.Membership
  ]
  const rowCounts = (): Promise<number[]> => Promise.all(FAMILIES.map(rows))
  const isAtHome = ({ bytes }: SignedRecord): boolean =>
    database.get(membershipKey(recordHash(bytes), HOME_LIBRARY)) !== undefined

  /** The name was announced, and is due again much later. */
  const announced = (): Promise<void> =>
    database.write([scheduleAnnouncement({ name: 'hello', dueMs: NOW_MS + DAY_MS, addedMs: 1 })], {
      sync: true
    })

  test('a yank of one’s own is one batch, in the home library, and its name is due at once', async () => {
    await registry.publish(release().bytes)
    await announced()
    const commits = database.commits.length
    expect(await registry.publishStatement(status().bytes)).toMatchObject({ added: true })
    expect(database.commits).toHaveLength(commits + 1)
    expect(isAtHome(status())).toBe(true)
    expect(registry.status(meant)?.status).toMatchObject({ state: 'yanked' })
    expect([registry.count(), registry.revision()]).toEqual([1, 2])
    expect(readAnnouncement(database, 'hello')).toMatchObject({ dueMs: NOW_MS })
    expect(await registry.publishStatement(status().bytes)).toMatchObject({ added: false })
    expect(database.commits).toHaveLength(commits + 1)
  })

  test('a newer status takes the place of the old one, whoever brings it; an older one changes nothing', async () => {
    await registry.publish(release().bytes)
    await registry.publishStatement(status().bytes)
    const active = status({ state: 'active', sequence: NOW_MS + 1 })
    expect(await registry.addStatement(active.bytes)).toMatchObject({ added: true })
    expect(isAtHome(active)).toBe(true)
    expect(registry.revision()).toBe(3)
    expect(await registry.publishStatement(status().bytes)).toEqual({ added: false, statement: active })
    expect(await registry.addStatement(status().bytes)).toEqual({ added: false, statement: active })
    expect(registry.status(meant)?.status).toMatchObject({ state: 'active' })
    expect(await rowCounts()).toEqual([2, 2, 1, 1, 0, 2])
    expect(registry.revision()).toBe(3)
  })

  test('a status of a peer joins the home library when it is published here', async () => {
    await registry.add(release().bytes)
    await registry.addStatement(status().bytes)
    expect([isAtHome(status()), registry.revision()]).toEqual([false, 0])
    expect(await registry.publishStatement(status().bytes)).toMatchObject({ added: true })
    expect([isAtHome(status()), registry.revision(), registry.count()]).toEqual([true, 1, 0])
  })

  test('attestations stand beside each other, one for each signer and word', async () => {
    for (const word of ['tested', 'built', 'tested']) await registry.addStatement(attestation(word).bytes)
    const taken = attestation('built', { holds: false, sequence: NOW_MS + 1 })
    await registry.addStatement(taken.bytes)
    await registry.addStatement(status().bytes)
    const said = await registry.statements(meant)
    expect(said.map(({ id }) => id.toString()).sort()).toEqual(
      [status(), attestation('tested'), taken].map(({ id }) => id.toString()).sort()
    )
    expect(await registry.statements({ ...meant, version: '2.0.0' })).toEqual([])
  })

  test('whatever the order in which statements come, the same ones are kept', async () => {
    const all = [0, 1, 2].flatMap(at => [
      status({ sequence: NOW_MS + at, state: at === 1 ? 'active' : 'yanked' }),
      status({ sequence: NOW_MS + at, reason: `r${at}` }),
      attestation('tested', { sequence: NOW_MS + at, holds: at !== 2 })
    ])
    const kept = async (order: StatementRecord[]): Promise<string[]> => {
      const memory = await openMemory()
      const fresh = createRegistry({ database: memory, writer: serialWriter(memory), clock })
      for (const { bytes } of order) await fresh.addStatement(bytes)
      return (await fresh.statements(meant)).map(({ id }) => id.toString())
    }
    const expected = await kept(all)
    expect(expected).toHaveLength(2)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(all, { minLength: all.length }), async order => {
        expect(await kept(order)).toEqual(expected)
      }),
      { seed: 5, numRuns: 20 }
    )
  })

  test('what is said goes with the release', async () => {
    const record = release()
    await registry.publish(record.bytes)
    await registry.publishStatement(status().bytes)
    await registry.addStatement(attestation('tested').bytes)
    await registry.addStatement(status({ version: '2.0.0' }).bytes)
    await registry.remove(record.id)
    expect(await rowCounts()).toEqual([1, 1, 0, 1, 0, 0])
    expect([registry.count(), readAnnouncement(database, 'hello')]).toEqual([0, undefined])
  })

  test('a statement from the future waits for its time, and one that is forged is refused', async () => {
    const early = status({ sequence: NOW_MS + MAX_CLOCK_AHEAD_MS + 1 })
    await expect(registry.addStatement(early.bytes)).rejects.toEqual(withCode('RECORD_EARLY'))
    const forged = Uint8Array.from(status().bytes)
    forged[forged.length - 5]! ^= 1
    await expect(registry.publishStatement(forged)).rejects.toEqual(withCode('SIGNATURE_INVALID'))
    await expect(registry.addStatement(release().bytes)).rejects.toEqual(withCode('RECORD_INVALID'))
    await expect(registry.add(status().bytes)).rejects.toEqual(withCode('RECORD_INVALID'))
    expect(database.commits).toEqual([])
  })

  test('the id of a statement is the id of no release', async () => {
    await registry.addStatement(status().bytes)
    expect(registry.get(status().id)).toBeUndefined()
    expect(await registry.stored(status().id)).toBeUndefined()
  })

  test('new words take the place of the old ones; the release stays one, and its name is due', async () => {
    await registry.publish(release().bytes)
    await registry.publishStatement(status().bytes)
    await announced()
    const later = release({ description: 'new words', sequence: NOW_MS + 1 })
    expect(await registry.revise(later.bytes)).toEqual({ added: true, record: later })
    expect(await registry.revise(release().bytes)).toEqual({ added: false, record: later })
    expect(await registry.versions('hello')).toEqual([later])
    expect([registry.count(), isAtHome(later)]).toEqual([1, true])
    expect(readAnnouncement(database, 'hello')).toMatchObject({ dueMs: NOW_MS })
    expect(registry.status(later.release)?.status).toMatchObject({ state: 'yanked' })
    const [stored] = (await registry.storedPage({ name: 'hello', limit: 5 })).records
    expect(stored).toMatchObject({ bytes: later.bytes, statements: [status().bytes] })
  })

  test('new words for content that is not here are refused', async () => {
    await registry.publish(release().bytes)
    const other = release({ content: contentOf('other'), sequence: NOW_MS + 1 })
    await expect(registry.revise(other.bytes)).rejects.toEqual(withCode('RELEASE_NOT_FOUND'))
    expect(await registry.versions('hello')).toEqual([release()])
  })
})
