/** What a node announces again and again: what it publishes, whatever else it knows. */
import { expect, test } from 'vitest'
import { type Clock, DAY_MS, MINUTE_MS, silentLogger, systemClock } from '../../../base/index.ts'
import { nameKey, recordKey } from '../../../discovery/index.ts'
import { createReleaseRecord, type Database } from '../../../library/index.ts'
import { createRegistry } from '../../../library/registry/index.ts'
import { AnnouncementSchedule } from '../../../node/schedule.ts'
import { announceSince } from '../../../node/services/announcing.ts'
import type { Announced } from '../../../node/services/network.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { openMemory, serialWriter } from '../registry/databases.ts'

const clock: Clock = { ...systemClock, now: () => NOW_MS }
const LIBRARY_KEY = Uint8Array.from([1, 2, 3])

test('the sweep goes through what is published here, and reads nothing of what is only known', async () => {
  const database = await openMemory()
  const registry = createRegistry({ database, writer: serialWriter(database), clock })
  const release = (name: string) =>
    createReleaseRecord(small({ name, content: contentOf(name) }), keyOf('ada'))
  const published = ['a', 'm', 'z'].map(release)
  for (const { bytes } of published) await registry.publish(bytes)
  const mirrored: Array<{ name: string; record: string }> = []
  let rows = 0
  const counting: Database = {
    ...database,
    get: key => {
      rows++
      return database.get(key)
    },
    iterate: async function* (range, signal) {
      for await (const row of database.iterate(range, signal)) {
        rows++
        yield row
      }
    }
  }
  const schedule = new AnnouncementSchedule(
    { database: counting, clock, libraries: { all: async () => [LIBRARY_KEY] }, mirrored: () => mirrored },
    { intervalMs: 1 }
  )
  const swept = async (): Promise<{ keys: Uint8Array[]; rows: number }> => {
    rows = 0
    const keys = await Array.fromAsync(schedule.keys(new AbortController().signal))
    return { keys, rows }
  }
  const before = await swept()
  expect(before.keys).toEqual([
    ...published.map(({ release }) => nameKey(release.name)),
    LIBRARY_KEY,
    ...published.map(({ id }) => recordKey(id.bytes))
  ])
  // Between, before and behind the names that are published.
  const known = Array.from({ length: 200 }, (_, number) => release(`${'0bny'[number % 4]}${number}`))
  await registry.addAll(known)
  expect(known.every(({ id }) => registry.get(id) !== undefined)).toBe(true)
  expect(await swept()).toEqual(before)
  // What is held for others is announced too.
  const [held] = known
  mirrored.push({ name: held!.release.name, record: held!.id.toString() })
  expect((await swept()).keys).toEqual([
    ...before.keys,
    nameKey(held!.release.name),
    recordKey(held!.id.bytes)
  ])
})

test('what was announced since a time is announced again: a part of the network was not there', async () => {
  const database = await openMemory()
  const registry = createRegistry({ database, writer: serialWriter(database), clock })
  for (const name of ['before', 'meanwhile', 'never'])
    await registry.publish(createReleaseRecord(small({ name, content: contentOf(name) }), keyOf('ada')).bytes)
  let nowMs = NOW_MS
  const schedule = new AnnouncementSchedule(
    {
      database,
      clock: { ...clock, now: () => nowMs },
      libraries: { all: async () => [] },
      mirrored: () => []
    },
    { intervalMs: DAY_MS }
  )
  const { signal } = new AbortController()
  await schedule.announced(['before'], signal)
  nowMs += MINUTE_MS
  await schedule.announced(['meanwhile'], signal)
  const announced: unknown[] = []
  const network = { announce: async ({ names, ids }: Announced) => announced.push([names, ids.length]) }
  await announceSince({ network, schedule, clock, logger: silentLogger }, NOW_MS + 1, signal)
  expect(announced).toEqual([[['meanwhile'], 1]])
  await announceSince({ network, schedule, clock, logger: silentLogger }, nowMs + 1, signal)
  expect(announced).toHaveLength(1)
})
