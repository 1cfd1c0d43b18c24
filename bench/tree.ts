/**
 * `npm run bench -- tree [--quick]`: the tree of a library on LevelDB at 100,000 and 1,000,000 records: built from a sorted stream,
 * grown in batches, changed by single records, opened, proven; its disk, and the memory of a process that has it open. Beside it
 * the floor: the same rows written without computing them, and a synced batch that says nothing.
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Level, LevelWriter, openLevel } from '../library/database/level.ts'
import type { Slice, WriteOperation } from '../library/index.ts'
import {
  ENTRY_BYTES,
  type Entries,
  HASH_BYTES,
  NodeCache,
  openTree,
  proveRecord,
  type TreeChange,
  TreeStore,
  verifyProof
} from '../sync/index.ts'
import { processStats } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const LIBRARY = 'home'
const BATCH = 10_000
const SMALL_BATCH = 1000
const SMALL_BATCHES = 20
const SINGLES = 2000
const SYNCED_SINGLES = 200
const PROOFS = 10_000
const OPENS = 5
const PART_ENTRIES = 1024
const WITHOUT_PAUSE: Slice = { due: () => false, pause: async () => {} }

export const run = async (args: string[]): Promise<void> => {
  const sizes = args.includes('--quick') ? [10_000, 100_000] : [100_000, 1_000_000]
  const rows: Row[] = []
  for (const records of sizes) rows.push(...(await measure(records)))
  report('tree', { sizes, batch: BATCH }, rows)
}

const measure = async (records: number): Promise<Row[]> => {
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  try {
    const entries = randomBytes(records * ENTRY_BYTES)
    const grown = await grow(join(root, 'grown'), entries)
    const built = await build(join(root, 'built'), sorted(entries))
    const changed = await change(join(root, 'built'))
    const proven = await prove(join(root, 'built'), entries)
    const opened = await open(join(root, 'built'))
    return [...built, ...grown, ...changed, ...opened, ...proven].map(row => ({
      ...row,
      name: `${records.toLocaleString('en-GB')}: ${row.name}`
    }))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

interface Opened {
  level: Level
  writer: LevelWriter
  store: TreeStore
}

const openStore = async (folder: string): Promise<Opened> => {
  const level = await openLevel(folder)
  const writer = new LevelWriter(level)
  return { level, writer, store: new TreeStore({ database: writer, cache: new NodeCache() }) }
}

/** Wall and CPU time of this process. */
const timed = async (work: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number }> => {
  const [began, used] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(used)
  return { wallMs: performance.now() - began, cpuMs: (user + system) / 1000 }
}

const row = (name: string, { wallMs, cpuMs }: { wallMs: number; cpuMs: number }, of = 1): Row => ({
  name,
  wallMs: round(wallMs / of, 3),
  cpuMs: round(cpuMs / of, 3),
  'per second': of === 1 ? '' : round((1000 * of) / wallMs)
})

const changesOf = (entries: Entries): TreeChange[] =>
  Array.from({ length: entries.byteLength / ENTRY_BYTES }, (_, index) => ({
    trieKey: entries.subarray(index * ENTRY_BYTES, index * ENTRY_BYTES + HASH_BYTES),
    recHash: entries.subarray(index * ENTRY_BYTES + HASH_BYTES, (index + 1) * ENTRY_BYTES)
  }))

let revision = 0
const commit = async ({ store, writer }: Opened, entries: Entries, sync: boolean): Promise<void> => {
  const tree = { libraryId: LIBRARY, changes: changesOf(entries), revision: ++revision }
  const planned = await store.plan(tree, WITHOUT_PAUSE)
  await writer.batch(planned.operations, { sync })
  planned.committed()
}

/** From nothing, in batches in no order, as when records come from peers. */
const grow = async (folder: string, entries: Entries): Promise<Row[]> => {
  const opened = await openStore(folder)
  const records = entries.byteLength / ENTRY_BYTES
  const times = await timed(async () => {
    for (let at = 0; at < entries.byteLength; at += BATCH * ENTRY_BYTES)
      await commit(opened, entries.subarray(at, at + BATCH * ENTRY_BYTES), true)
  })
  await opened.level.close()
  return [row('records in batches of 10,000, synced', times, records)]
}

const sorted = (entries: Entries): Entries => {
  const order = Array.from({ length: entries.byteLength / ENTRY_BYTES }, (_, index) => index * ENTRY_BYTES)
  order.sort((a, b) => entries.compare(entries, b, b + HASH_BYTES, a, a + HASH_BYTES))
  return Buffer.concat(order.map(at => entries.subarray(at, at + ENTRY_BYTES)))
}

async function* inParts(entries: Entries): AsyncGenerator<Entries> {
  for (let at = 0; at < entries.byteLength; at += PART_ENTRIES * ENTRY_BYTES)
    yield entries.subarray(at, at + PART_ENTRIES * ENTRY_BYTES)
}

const build = async (folder: string, entries: Entries): Promise<Row[]> => {
  const opened = await openStore(folder)
  const records = entries.byteLength / ENTRY_BYTES
  const id = { libraryId: LIBRARY, generation: 1, revision: ++revision }
  const times = await timed(() => opened.store.build(id, inParts(entries), WITHOUT_PAUSE))
  const rows: WriteOperation[] = []
  for await (const [key, value] of opened.writer.iterate({ prefix: Buffer.from('n/') }))
    rows.push({ type: 'put', key: Uint8Array.from(key), value: Uint8Array.from(value) })
  const floor = await openStore(`${folder}-floor`)
  const floorTimes = await timed(async () => {
    for (let at = 0; at < rows.length; at += SMALL_BATCH)
      await floor.writer.batch(rows.slice(at, at + SMALL_BATCH), { sync: true })
  })
  await Promise.all([opened.level.close(), floor.level.close()])
  const files = readdirSync(folder).map(name => statSync(join(folder, name)).size)
  const diskMb = files.reduce((sum, size) => sum + size, 0) / 1e6
  return [
    {
      ...row('records built from a sorted stream', times, records),
      nodes: rows.length,
      diskMb: round(diskMb, 1)
    },
    row('floor: its rows written as they are', floorTimes, records)
  ]
}

const change = async (folder: string): Promise<Row[]> => {
  const opened = await openStore(folder)
  const batches = await timed(async () => {
    for (let batch = 0; batch < SMALL_BATCHES; batch++)
      await commit(opened, randomBytes(SMALL_BATCH * ENTRY_BYTES), true)
  })
  const large = await timed(() => commit(opened, randomBytes(BATCH * ENTRY_BYTES), true))
  const inserts = (count: number, sync: boolean) => async (): Promise<void> => {
    for (let insert = 0; insert < count; insert++) await commit(opened, randomBytes(ENTRY_BYTES), sync)
  }
  const singles = await timed(inserts(SINGLES, false))
  const synced = await timed(inserts(SYNCED_SINGLES, true))
  const key = Buffer.from('zz')
  const floor = await timed(async () => {
    for (let insert = 0; insert < SYNCED_SINGLES; insert++)
      await opened.writer.batch([{ type: 'put', key, value: key }], { sync: true })
  })
  await opened.level.close()
  return [
    row('batch of 1,000, synced', batches, SMALL_BATCHES),
    row('batch of 10,000, synced', large),
    row('one insert', singles, SINGLES),
    row('one insert, synced', synced, SYNCED_SINGLES),
    row('floor: a synced batch of one row', floor, SYNCED_SINGLES)
  ]
}

const prove = async (folder: string, entries: Entries): Promise<Row[]> => {
  const { level, writer } = await openStore(folder)
  const tree = openTree(writer, LIBRARY, new NodeCache())
  const records = entries.byteLength / ENTRY_BYTES
  const keys = Array.from({ length: PROOFS }, (_, index) => {
    const at = Math.floor((index * records) / PROOFS) * ENTRY_BYTES
    return entries.subarray(at, at + HASH_BYTES)
  })
  const proofs: Uint8Array[] = []
  const making = await timed(async () => proofs.push(...keys.map(key => proveRecord(tree, key))))
  const checking = await timed(async () => proofs.forEach(proof => void verifyProof(proof, tree.root)))
  await level.close()
  const sizes = proofs.map(({ byteLength }) => byteLength).sort((a, b) => a - b)
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  const bytes = {
    meanBytes: round(mean),
    p99Bytes: sizes[Math.floor(0.99 * PROOFS)]!,
    maxBytes: sizes.at(-1)!
  }
  return [{ ...row('proof made', making, PROOFS), ...bytes }, row('proof checked', checking, PROOFS)]
}

/** In another process, which has nothing else in its memory. */
const open = async (folder: string): Promise<Row[]> => {
  const waits: number[] = []
  let rssAnonMb = 0
  for (let time = 0; time < OPENS; time++) {
    const child = fork(fileURLToPath(import.meta.url), ['open', folder])
    const [wallMs] = (await once(child, 'message')) as [number]
    waits.push(wallMs)
    rssAnonMb = processStats(child.pid!).rssAnonMb
    child.kill()
    await once(child, 'exit')
  }
  const median = waits.toSorted((a, b) => a - b)[OPENS >> 1]!
  return [{ name: `opened, median of ${OPENS}`, wallMs: round(median, 2), rssAnonMb }]
}

if (process.argv[2] === 'open' && process.send !== undefined) {
  const began = performance.now()
  const level = await openLevel(process.argv[3]!)
  openTree(new LevelWriter(level), LIBRARY)
  process.send(performance.now() - began)
}
