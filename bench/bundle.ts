/**
 * `npm run bench -- bundle [RECORDS [ROUNDS]]`: a bundle of a whole library without contents, 3,000 records unless told, taken into a new home: in
 * batches as a daemon does, and with one commit for each record, in turns, three times each unless told. Meanwhile something else is written every
 * 20 ms, as by a user. The floor is as much checking as `bundle verify` does.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger, systemClock } from '../base/index.ts'
import { type Library, openLibrary, recordHash, type Slice, trieKey, withDatabase } from '../library/index.ts'
import { LibraryCopy } from '../node/services/bundle-copy.ts'
import { type BundleImportModules, importBundle } from '../node/services/bundle-import.ts'
import { WORKER_URL } from '../node/worker-url.ts'
import {
  type BundlePart,
  HEAD_LIFETIME_MS,
  LibrarySets,
  libraryIdOf,
  NodeCache,
  openTree,
  proveRecord,
  signHead,
  TreeStore,
  writeBundle
} from '../sync/index.ts'
import { createNodeKey, loadNodeKey, SigningKey, sha256 } from '../trust/index.ts'
import { benchRelease } from './support/bulk-library.ts'
import { processStats } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const RECORDS = 3000
const ROUNDS = 3
const OTHER_WRITE_MS = 20
const LIBRARY = 'home'
const WITHOUT_PAUSE: Slice = { due: () => false, pause: async () => {} }
const WAYS = ['in batches', 'one by one', 'nothing kept'] as const
type Way = (typeof WAYS)[number]

const { signal } = new AbortController()

export const run = async (args: string[]): Promise<void> => {
  const [records = RECORDS, rounds = ROUNDS] = args.map(Number)
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  try {
    const bundle = await makeBundle(join(root, 'library'), records)
    const runs: Array<Measured & { way: Way }> = []
    for (let turn = 0; turn < rounds; turn++)
      for (const way of WAYS)
        runs.push({ way, ...(await measure(join(root, `${turn} ${way}`), bundle, way)) })
    const rows = WAYS.map(way =>
      row(
        way,
        runs.filter(one => one.way === way)
      )
    )
    report('bundle', { records, rounds, bundleBytes: bundle.byteLength }, rows)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const makeBundle = async (folder: string, count: number): Promise<Buffer> => {
  mkdirSync(join(folder, 'db'), { recursive: true })
  const records = Array.from({ length: count }, (_, number) => benchRelease(number))
  return await withDatabase(folder, async database => {
    const cache = new NodeCache()
    const changes = records.map(record => ({ trieKey: trieKey(record), recHash: recordHash(record.bytes) }))
    const store = new TreeStore({ database, cache })
    const planned = await store.plan({ libraryId: LIBRARY, changes, revision: 1 }, WITHOUT_PAUSE)
    await database.batch(planned.operations, { sync: true })
    const tree = openTree(database, LIBRARY, cache)
    const parts = async function* (): AsyncGenerator<BundlePart> {
      yield { kind: 'head', head: headOf(tree.root) }
      for (const record of records)
        yield { kind: 'record', record: record.bytes, proof: proveRecord(tree, trieKey(record)) }
    }
    return Buffer.concat(await Array.fromAsync(writeBundle(parts())))
  })
}

const headOf = (root: Uint8Array): Uint8Array => {
  const writer = SigningKey.fromSeed(sha256(Buffer.from('the writer of benchmarks')))
  const time = Date.now()
  const library = libraryIdOf(writer.publicKey, LIBRARY)
  return signHead({ library, epoch: time, revision: 1, time, expires: time + HEAD_LIFETIME_MS, root }, writer)
    .bytes
}

interface Measured {
  wallMs: number
  cpuMs: number
  /** What each of the other writes took. */
  othersMs: number[]
}

const measure = async (home: string, bundle: Buffer, way: Way): Promise<Measured> => {
  mkdirSync(home)
  await createNodeKey(join(home, 'node.key'))
  const { key } = await loadNodeKey(join(home, 'node.key'))
  const modules = { log: silentLogger, clock: systemClock }
  const library = await openLibrary(modules, { home, workerUrl: WORKER_URL })
  try {
    // Starts the worker.
    await writeOther(library, key.publicKey)
    const [began, used] = [performance.now(), processStats(process.pid).cpuMs]
    const importing = importBundle(modulesOf(library, key.publicKey, way), pieces(bundle), signal)
    const others = writeMeanwhile(library, key.publicKey, importing)
    const { newRecords, copy } = await importing
    const [wallMs, cpuMs] = [performance.now() - began, processStats(process.pid).cpuMs - used]
    if (newRecords === 0 || copy !== 'made') throw new Error(`${newRecords} records, the copy is ${copy}`)
    return { wallMs, cpuMs, othersMs: await others }
  } finally {
    await library.close()
  }
}

const writeOther = ({ registry }: Library, own: Uint8Array): Promise<void> =>
  registry.pinOwner('a-package', own)

const writeMeanwhile = async (
  library: Library,
  own: Uint8Array,
  work: Promise<unknown>
): Promise<number[]> => {
  const took: number[] = []
  const over = new AbortController()
  const end = (): void => over.abort()
  work.then(end, end)
  while (!over.signal.aborted) {
    const began = performance.now()
    await writeOther(library, own)
    took.push(performance.now() - began)
    await delay(OTHER_WRITE_MS)
  }
  return took
}

const modulesOf = (library: Library, own: Uint8Array, way: Way): BundleImportModules => {
  const sets = new LibrarySets({ library, clock: systemClock, log: silentLogger }, { writer: own })
  const copyModules = { sets, logger: silentLogger, onAudienceChanged: async () => undefined }
  const limits = { own, maxRecords: 1_000_000, maxBytes: 1_000_000_000 }
  const isKept = way !== 'nothing kept'
  return {
    registry:
      way === 'in batches'
        ? library.registry
        : { addAll: way === 'one by one' ? oneByOne(library) : nothing },
    sets,
    copying: of =>
      isKept
        ? new LibraryCopy(copyModules, limits, of)
        : { take: async () => undefined, end: async () => 'made', close: async () => undefined },
    content: library.content,
    collecting: { makeRoom: () => Promise.reject(new Error('the bundle has no contents')) },
    blocking: { isBlocked: () => false },
    events: { emit: () => undefined },
    clock: systemClock
  }
}

type AddAll = BundleImportModules['registry']['addAll']

const oneByOne =
  ({ registry }: Library): AddAll =>
  async records => {
    for (const { bytes } of records) await registry.add(bytes, signal)
    return records.map(() => 'added')
  }

const nothing: AddAll = async records => records.map(() => 'added')

async function* pieces(bundle: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bundle.byteLength; at += 65_536) yield bundle.subarray(at, at + 65_536)
}

const row = (name: Way, runs: readonly Measured[]): Row => {
  const others = runs.flatMap(({ othersMs }) => othersMs).sort((a, b) => a - b)
  return {
    name,
    'wall ms': runs.map(({ wallMs }) => round(wallMs)).join(', '),
    'cpu ms': runs.map(({ cpuMs }) => round(cpuMs)).join(', '),
    'another write, median ms': round(others[others.length >> 1]!, 1),
    'p99 ms': round(others[Math.floor(others.length * 0.99)]!, 1)
  }
}
