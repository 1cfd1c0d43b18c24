/**
 * `npm run bench -- sync [RECORDS...]`: two real daemons on loopback. One has a library of 10,000 records, or of each number given, the
 * other one a copy of it, and then 0 to 10,000 new releases at a time are found by comparing, once with keys anywhere, once all
 * below two hex digits of a key, and up to 100 of them told by the writer: bytes each way, round trips, CPU of both, wall. Beside it the
 * floor: the bytes of the records themselves, and 32 bytes to say which each difference is.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ReleaseRecord, trieKey } from '../library/index.ts'
import { benchRelease } from './support/bulk-library.ts'
import { becomeFollower, becomeWriter, filledHome } from './support/filled.ts'
import { type BenchNode, startNode, stopNode } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'
import { type Stored, storedBy } from './support/stored.ts'

const DIFFERENCES = [0, 1, 10, 100, 1000, 10_000]
/** More of them are looked for alone: each is published first, which takes longer than all else here. */
const MAX_TOLD = 100
/** Byte that the keys of clustered differences begin with. */
const CLUSTER = 0xa7
/** What it takes at least to say which record is meant. */
const FLOOR_BYTES = 32
/** Publishes that are under way at once: as many as the client has connections. */
const LANES = 4
/** A node compares a large library with one peer once a minute. */
const BUSY_MS = 61_000
/** So that a million and some may be followed, which is the limit unless it is set. */
const SETTINGS = { 'sync.maxRecords': '2000000' }

interface Synced {
  received: number
  removed: number
  records: number
  bytesIn: number
  bytesOut: number
  roundTrips: number
  way?: string
  root: string
  peerRoot: string
  tookMs: number
}

export const run = async (args: string[]): Promise<void> => {
  const given = args.map(Number).filter(Number.isInteger)
  const sizes = given.length > 0 ? given : [10_000]
  const rows: Row[] = []
  for (const records of sizes)
    await measure(records, row => {
      rows.push(row)
      // Large ones take minutes; what is known by then is told.
      report('sync', { sizes, differences: DIFFERENCES }, rows)
    })
}

const measure = async (records: number, tell: (row: Row) => void): Promise<void> => {
  const filled = await filledHome(records)
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const nodes: BenchNode[] = []
  try {
    const place = { settings: SETTINGS }
    const writer = await startNode(root, 'writer', undefined, place, async home => becomeWriter(home, filled))
    nodes.push(writer)
    const { invite } = await writer.cli.json<{ invite: string }>('invite')
    const reader = await startNode(root, 'reader', invite, place, home => becomeFollower(home, filled))
    nodes.unshift(reader)
    const bench = new Pair({ writer, reader }, records, await storedBy(writer, root))
    // The release whose content all later ones name; both sides make their sketches now.
    tell(await bench.sync('the first comparison', { difference: 1, recordBytes: 0 }))
    for (const difference of DIFFERENCES) {
      // Nothing differs: one root, whoever asks and how.
      if (difference <= MAX_TOLD) tell(await bench.difference(difference, { name: 'told' }))
      if (difference === 0) continue
      tell(await bench.difference(difference, { name: 'random', strategy: 'differential' }))
      tell(await bench.difference(difference, { name: 'clustered', strategy: 'differential' }))
    }
  } finally {
    for (const node of nodes) await stopNode(node)
    rmSync(root, { recursive: true, force: true })
  }
}

interface Way {
  name: 'told' | 'random' | 'clustered'
  strategy?: string
}

class Pair {
  readonly #writer: BenchNode
  readonly #reader: BenchNode
  readonly #records: number
  readonly #stored: Stored
  #next = 0

  constructor({ writer, reader }: { writer: BenchNode; reader: BenchNode }, records: number, stored: Stored) {
    this.#writer = writer
    this.#reader = reader
    this.#records = records
    this.#stored = stored
  }

  /** Publishes so many new releases, and follows. */
  async difference(count: number, { name, strategy }: Way): Promise<Row> {
    let [left, bytes] = [count, 0]
    const publish = async (): Promise<void> => {
      while (left-- > 0) {
        const record = name === 'clustered' ? this.#clustered() : this.#release()
        bytes += record.bytes.byteLength
        const body = { record: Buffer.from(record.bytes).toString('base64'), wait: 0 }
        await this.#writer.api.operate('/v1/packages', body)
      }
    }
    await Promise.all(Array.from({ length: LANES }, publish))
    const row = `d = ${count.toLocaleString('en-GB')}, ${name}`
    return await this.sync(row, { difference: count, recordBytes: bytes, strategy })
  }

  #release(): ReleaseRecord {
    return benchRelease(this.#next++, this.#stored)
  }

  /** A release whose key begins with the byte of the cluster: one of 256, so what is passed over is not signed. */
  #clustered(): ReleaseRecord {
    const model = this.#release()
    for (;;) {
      const number = this.#next++
      const release = { ...model.release, name: `package-${number}` }
      if (trieKey({ ...model, release })[0] === CLUSTER) return benchRelease(number, this.#stored)
    }
  }

  async sync(
    name: string,
    {
      difference,
      recordBytes,
      strategy
    }: { difference: number; recordBytes: number; strategy?: string | undefined }
  ): Promise<Row> {
    let before = [this.#writer.stats().cpuMs, this.#reader.stats().cpuMs]
    let began = performance.now()
    const ask = (): Promise<Synced> =>
      this.#reader.api.operate<Synced>('/v1/sync', { peer: this.#writer.daemon.peerId, strategy })
    const synced = await ask().catch(async thrown => {
      if (!String(thrown).includes('BUSY')) throw thrown
      await delay(BUSY_MS)
      before = [this.#writer.stats().cpuMs, this.#reader.stats().cpuMs]
      began = performance.now()
      return await ask()
    })
    const wallMs = performance.now() - began
    const after = [this.#writer.stats(), this.#reader.stats()]
    if (synced.received !== difference || synced.root !== synced.peerRoot)
      throw new Error(`${name}: not all came: ${JSON.stringify(synced)}`)
    const overhead = synced.bytesIn + synced.bytesOut - recordBytes
    return {
      name: `${this.#records.toLocaleString('en-GB')}: ${name}`,
      'in bytes': synced.bytesIn,
      'out bytes': synced.bytesOut,
      'without records': overhead,
      'per difference': difference === 0 ? '' : round(overhead / difference, 1),
      'floor per difference': difference === 0 ? '' : FLOOR_BYTES,
      way: synced.way ?? '',
      'round trips': synced.roundTrips,
      wallMs: round(wallMs),
      'source CPU ms': round(after[0]!.cpuMs - before[0]!),
      'follower CPU ms': round(after[1]!.cpuMs - before[1]!),
      'follower peak, anonymous MB': `${after[1]!.peakRssMb}, ${after[1]!.rssAnonMb}`
    }
  }
}
