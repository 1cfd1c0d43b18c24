/** A home of format 2 has records and no tree: it gets one, whatever cuts the migration off. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { membershipKey, recordKey } from '../../../library/database/keys.ts'
import type { WriteOperation } from '../../../library/database/types.ts'
import {
  createReleaseRecord,
  HOME_LIBRARY,
  KeyFamily,
  type Library,
  recordHash,
  trieKey,
  withDatabase
} from '../../../library/index.ts'
import { type MigrationProgress, migrate, readFormat, writeFormat } from '../../../node/home/format.ts'
import { type HomeLayout, homeLayout } from '../../../node/home/layout.ts'
import { migrationLines } from '../../../node/home/migration-lines.ts'
import { initHome } from '../../../node/init.ts'
import { LibrarySets } from '../../../sync/index.ts'
import { loadNodeKey } from '../../../trust/index.ts'
import { openTestLibrary } from '../../library.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { hex, MemoryTree } from '../sync/tries.ts'

/** More than one batch of what is sorted. */
const RECORDS = 1200
const EMPTY = new Uint8Array()
let folder: string
let home: HomeLayout
const expected = new MemoryTree()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-migration-'))
  home = (await initHome({ clock: systemClock }, { root: join(folder, 'home') })).home
  const ada = keyOf('ada')
  const records = Array.from({ length: RECORDS }, (_, number) =>
    createReleaseRecord(small({ version: `1.0.${number}`, content: contentOf(`${number}`) }), ada)
  )
  const operations = records.flatMap(({ bytes }): WriteOperation[] => [
    { type: 'put', key: recordKey(recordHash(bytes)), value: bytes },
    { type: 'put', key: membershipKey(recordHash(bytes), HOME_LIBRARY), value: EMPTY }
  ])
  await withDatabase(home.root, database => database.batch(operations, { sync: true }))
  await writeFormat(home, 2)
  expected.apply(records.map(record => ({ trieKey: trieKey(record), recHash: recordHash(record.bytes) })))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

/** Makes the disk fail at the batch of that number which writes to a family, or to any. */
function failAt(family: string, number: number): void {
  let seen = 0
  const original = ClassicLevel.prototype.batch as (operations: unknown, options: unknown) => Promise<void>
  vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(async function (
    this: ClassicLevel,
    ...[operations, options]: unknown[]
  ) {
    const keys = (operations as WriteOperation[]).map(({ key }) => Buffer.from(key).toString('latin1'))
    if (keys.some(key => key.startsWith(family)) && ++seen === number) throw new Error('the power goes')
    await original.call(this, operations, options)
  } as never)
}

async function run(): Promise<number[]> {
  const seen: MigrationProgress[] = []
  try {
    await migrate(home, { onProgress: progress => seen.push(progress) })
  } finally {
    vi.restoreAllMocks()
  }
  return seen.map(({ done }) => done)
}

it('gets its tree, and goes on where it was cut off', async () => {
  failAt(KeyFamily.TreeSort, 2)
  await expect(run()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
  failAt(KeyFamily.TreeNode, 1)
  await expect(run()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
  failAt(KeyFamily.Tree, 1)
  await expect(run()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
  expect(await readFormat(home)).toBe(2)
  const done = await run()
  expect(done, 'nothing was left to be read').toEqual([0, 0, share(1024)])
  await expectTree()
})

/** Of the records of this home. */
const share = (records: number): number => records / RECORDS

/** The home has its tree, and all that is said of it. */
async function expectTree(): Promise<void> {
  expect(await readFormat(home)).toBe(3)
  const library: Library = await openTestLibrary(
    { log: silentLogger, clock: systemClock },
    { home: home.root }
  )
  try {
    const { key } = await loadNodeKey(home.nodeKey)
    const sets = new LibrarySets(
      { library, clock: systemClock, log: silentLogger },
      { writer: key.publicKey }
    )
    const before = await sets.state(HOME_LIBRARY)
    expect(before).toMatchObject({ records: RECORDS, head: undefined, isRenewalDue: true })
    expect(hex(before.root)).toBe(expected.root)
    expect(await sets.check(HOME_LIBRARY)).toMatchObject({ ok: true, problems: [] })
    await sets.renew(HOME_LIBRARY)
    const { head, isRenewalDue } = await sets.state(HOME_LIBRARY)
    expect([head!.root, head!.revision, isRenewalDue]).toEqual([before.root, 1, false])
  } finally {
    await library.close()
  }
}

it('says how far it has come, each phase up to its end', async () => {
  const seen: MigrationProgress[] = []
  await migrate(home, { onProgress: progress => seen.push(progress) })
  expect(seen.map(({ phase, done }) => [phase, done])).toEqual([
    ['a Merkle tree over the home library', 0],
    ['reading records', share(1024)],
    ['reading records', 1],
    ['building the tree', share(1024)]
  ])
})

/** Goes on in a copy of the home as it is before it is migrated. */
async function inCopy(original: HomeLayout, name: string): Promise<void> {
  const root = join(folder, name)
  await cp(original.root, root, { recursive: true })
  home = homeLayout(root)
}

it('goes on wherever the disk fails', async () => {
  const original = home
  for (let batch = 1; ; batch++) {
    await inCopy(original, `failed-${batch}`)
    failAt('', batch)
    const failed = await run().then(
      () => undefined,
      error => error
    )
    if (failed === undefined) {
      expect(batch, 'some of each kind').toBeGreaterThan(3)
      return
    }
    expect(failed).toMatchObject({ code: 'MIGRATION_FAILED' })
    await run()
    await expectTree()
  }
})

it('goes on where it was killed', async () => {
  const original = home
  for (const batch of [2, 3]) {
    await inCopy(original, `killed-${batch}`)
    const argv = [join(import.meta.dirname, 'migrate-killed.child.ts'), home.root, String(batch)]
    expect((await once(spawn(process.execPath, argv), 'exit'))[1]).toBe('SIGKILL')
    expect(await readFormat(home)).toBe(2)
    await run()
    await expectTree()
  }
})

it('ends soon after a signal, with its reason, and goes on', async () => {
  const stop = new AbortController()
  const phases: string[] = []
  const onProgress = ({ phase }: MigrationProgress): void => {
    phases.push(phase)
    if (phase === 'reading records') stop.abort(new Error('SIGTERM'))
  }
  await expect(migrate(home, { onProgress, signal: stop.signal })).rejects.toThrow('SIGTERM')
  expect(phases.filter(phase => phase === 'reading records')).toHaveLength(1)
  expect(await readFormat(home)).toBe(2)
  expect((await run())[1], 'not from the beginning').toBe(share(RECORDS - 1024))
  await expectTree()
})

it('tells who starts the daemon of each phase at once, and of one every two seconds', () => {
  let nowMs = 0
  const lines: string[] = []
  const tell = migrationLines({ clock: { monotonicMs: () => nowMs } }, line => lines.push(line))
  for (const [ms, phase, done] of [
    [0, 'reading', 0],
    [10, 'reading', 0.1],
    [2000, 'reading', 0.2],
    [2001, 'building', 0],
    [2002, 'building', 0.5],
    [4001, 'building', 1]
  ] as const) {
    nowMs = ms
    tell({ from: 2, to: 3, phase, done })
  }
  expect(lines.map(line => line.replace('migrating the home from format 2 to 3: ', ''))).toEqual([
    'reading, 0 %',
    'reading, 20 %',
    'building, 0 %',
    'building, 100 %'
  ])
})
