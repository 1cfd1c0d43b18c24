/**
 * `npm run bench -- sync [RECORDS...]`: two real daemons on loopback. One has a library of 10,000 records, or of each number given, the
 * other one takes it over, and then 0, 1, 10, 100 and 1,000 new releases at a time, told by the writer and then found by comparing: bytes each way, round trips, CPU of
 * both, wall. Beside it the floor: the bytes of the records themselves, and 32 bytes to say which each difference is.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchRelease, fillLibrary } from './support/bulk-library.ts'
import { type BenchNode, startNode, stopNode } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'
import { type Stored, storedBy } from './support/stored.ts'

const DIFFERENCES = [0, 1, 10, 100, 1000]
/** What it takes at least to say which record is meant. */
const FLOOR_BYTES = 32

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
  for (const records of sizes) {
    rows.push(...(await measure(records)))
    // The larger ones take minutes; what is known by then is told.
    report('sync', { sizes, differences: DIFFERENCES }, rows)
  }
}

const measure = async (records: number): Promise<Row[]> => {
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const nodes: BenchNode[] = []
  try {
    let bytes = 0
    const writer = await startNode(root, 'writer', undefined, undefined, async home => {
      bytes = await fillLibrary(home, records)
    })
    nodes.push(writer)
    const { invite } = await writer.cli.json<{ invite: string }>('invite')
    const reader = await startNode(root, 'reader', invite)
    nodes.unshift(reader)
    const bench = new Pair({ writer, reader }, records, await storedBy(writer, root))
    // One record more: the release whose content all later ones name.
    const rows = [await bench.sync('clone', { difference: records + 1, recordBytes: bytes })]
    for (const difference of DIFFERENCES) {
      rows.push(await bench.difference(difference))
      if (difference > 0) rows.push(await bench.difference(difference, 'differential'))
    }
    return rows
  } finally {
    for (const node of nodes) await stopNode(node)
    rmSync(root, { recursive: true, force: true })
  }
}

class Pair {
  readonly #writer: BenchNode
  readonly #reader: BenchNode
  readonly #records: number
  readonly #stored: Stored
  #next: number

  constructor({ writer, reader }: { writer: BenchNode; reader: BenchNode }, records: number, stored: Stored) {
    this.#writer = writer
    this.#reader = reader
    this.#records = records
    this.#stored = stored
    this.#next = records
  }

  /** Publishes so many new releases, and follows. */
  async difference(count: number, strategy?: string): Promise<Row> {
    let bytes = 0
    for (let index = 0; index < count; index++) {
      const record = benchRelease(this.#next++, this.#stored)
      bytes += record.bytes.byteLength
      const body = { record: Buffer.from(record.bytes).toString('base64'), wait: 0 }
      await this.#writer.api.operate('/v1/packages', body)
    }
    const name = `d = ${count.toLocaleString('en-GB')}${strategy === undefined ? '' : `, ${strategy}`}`
    return await this.sync(name, { difference: count, recordBytes: bytes, strategy })
  }

  async sync(
    name: string,
    {
      difference,
      recordBytes,
      strategy
    }: { difference: number; recordBytes: number; strategy?: string | undefined }
  ): Promise<Row> {
    const before = [this.#writer.stats().cpuMs, this.#reader.stats().cpuMs]
    const began = performance.now()
    const synced = await this.#reader.api.operate<Synced>('/v1/sync', {
      peer: this.#writer.daemon.peerId,
      strategy
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
