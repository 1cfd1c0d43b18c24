/** Three nodes of each test: one that makes a library called team, one that may be a member of it, and one outside. */
import { afterEach, beforeEach, expect } from 'vitest'
import { createStatusRecord, makeKey, type ReleaseRecord } from '../../../library/index.ts'
import type { Access } from '../../../sync/index.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { follow, type SessionOptions, SyncHome } from './homes.ts'

export const ada = keyOf('ada')

export let writer: SyncHome
export let member: SyncHome
export let outsider: SyncHome

/** To be called once by each file: a module that many import is run for the first of them only. */
export function openForEachTest(): void {
  beforeEach(async () => {
    writer = await SyncHome.open('writer')
    member = await SyncHome.open('member')
    outsider = await SyncHome.open('outsider')
  })
  afterEach(() => Promise.all([writer, member, outsider].map(home => home.close())))
}

export const make = (access: Access, members: SyncHome[] = [], name = 'team'): Promise<undefined> =>
  writer.sets.access.create({ name, access, members: members.map(({ key }) => key.publicKey) })

export const keys = (...homes: SyncHome[]): Uint8Array[] => homes.map(({ key }) => key.publicKey)
export const grant = (...homes: SyncHome[]): Promise<undefined> =>
  writer.sets.access.changeMembers('team', { joining: keys(...homes), leaving: [] })
export const revoke = (...homes: SyncHome[]): Promise<undefined> =>
  writer.sets.access.changeMembers('team', { joining: [], leaving: keys(...homes) })

export const team = (
  follower: SyncHome,
  source = writer,
  options: SessionOptions = {}
): ReturnType<typeof follow> => follow(follower, source, { of: writer, name: 'team', ...options })

/** What a peer gets of a release without a library. */
export const shown = async (home: SyncHome, { id, release: { name } }: ReleaseRecord): Promise<number> => {
  const page = await home.registry.storedPage({ name, limit: 10 })
  const byId = (await home.registry.stored(id)) === undefined ? 0 : 1
  expect(page.records).toHaveLength(byId)
  return byId
}

export const yank = (of: ReleaseRecord): Uint8Array =>
  createStatusRecord({ ...of.release, state: 'yanked', sequence: NOW_MS + 1 }, ada).bytes

export const NOT_HERE = { code: 'NOT_FOUND', message: 'this node has no such library' }

export async function rowsOf(home: SyncHome, family: string): Promise<number> {
  let rows = 0
  for await (const _ of home.reader.iterate({ prefix: makeKey(family) })) rows++
  return rows
}
