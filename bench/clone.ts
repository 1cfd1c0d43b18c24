/**
 * `npm run bench -- clone [RECORDS...]`: a node that has nothing takes over a library of 10,000 and 100,000 records, or of each number
 * given, of another daemon on loopback; then a second node does, is killed in the middle and started again. How long a record
 * takes, its bytes beside its own, memory, and how many records came twice. A session may take half an hour; a clone that
 * takes longer goes on in the next, of which the bytes are then.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fillLibrary } from './support/bulk-library.ts'
import { type BenchNode, startNode, stopNode } from './support/network.ts'
import { processStats } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const SIZES = [10_000, 100_000]
const SETTINGS = { 'sync.maxRecords': '2000000' }
const POLL_MS = 20
/** Of half an hour each: more is no figure any more. */
const MAX_SESSIONS = 4
/** A node compares a large library with one peer once a minute. */
const BUSY_MS = 61_000
/** Of the bytes of all records: by then it is killed. */
const KILLED_AT = 0.5

interface Synced {
  received: number
  bytesIn: number
  bytesOut: number
  roundTrips: number
  root: string
  peerRoot: string
}

interface Operation {
  id: string
  state: string
  progress?: { bytesDone?: number }
}

export const run = async (args: string[]): Promise<void> => {
  const given = args.map(Number).filter(Number.isInteger)
  const sizes = given.length > 0 ? given : SIZES
  const rows: Row[] = []
  for (const records of sizes)
    await measure(records, row => {
      rows.push(row)
      report('clone', { sizes, killedAt: KILLED_AT }, rows)
    })
}

const measure = async (records: number, tell: (row: Row) => void): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const nodes: BenchNode[] = []
  const place = { settings: SETTINGS }
  try {
    let recordBytes = 0
    const writer = await startNode(root, 'writer', undefined, place, async home => {
      recordBytes = await fillLibrary(home, records)
    })
    nodes.push(writer)
    const { invite } = await writer.cli.json<{ invite: string }>('invite')
    const name = records.toLocaleString('en-GB')
    const whole = await startNode(root, 'whole', invite, place)
    nodes.unshift(whole)
    tell({ name, ...(await clone(writer, whole, { records, recordBytes })) })
    const cut = await startNode(root, 'cut', invite, place)
    const share = await killed(writer, cut, recordBytes)
    const again = { ...cut, daemon: await cut.cli.startDaemon('cut') }
    await delay(BUSY_MS)
    again.stats = () => processStats(again.daemon.pid)
    nodes.unshift(again)
    const rest = await clone(writer, again, { records, recordBytes })
    const twice = round(share * records + Number(rest.received) - records)
    tell({ name: `${name}: killed at ${round(100 * share)} %, the rest`, ...rest, 'came twice': twice })
  } finally {
    for (const node of nodes) await stopNode(node)
    rmSync(root, { recursive: true, force: true })
  }
}

const clone = async (
  writer: BenchNode,
  reader: BenchNode,
  { records, recordBytes }: { records: number; recordBytes: number }
): Promise<Omit<Row, 'name'>> => {
  const before = [writer.stats(), reader.stats()]
  const began = performance.now()
  const { synced, sessions } = await sessionsUntilEqual(reader, writer.daemon.peerId)
  const wallMs = performance.now() - began
  const after = [writer.stats(), reader.stats()]
  if (synced.root !== synced.peerRoot) throw new Error(`not all came: ${JSON.stringify(synced)}`)
  const overhead = synced.bytesIn + synced.bytesOut - (recordBytes * synced.received) / records
  return {
    received: synced.received,
    'in bytes': synced.bytesIn,
    'out bytes': synced.bytesOut,
    'overhead per record': round(overhead / synced.received, 1),
    'round trips': synced.roundTrips,
    sessions,
    seconds: round(wallMs / 1000, 1),
    'CPU µs per record, source': round((1000 * (after[0]!.cpuMs - before[0]!.cpuMs)) / synced.received),
    'CPU µs per record, follower': round((1000 * (after[1]!.cpuMs - before[1]!.cpuMs)) / synced.received),
    'RSS before, peak MB': `${before[1]!.rssMb}, ${after[1]!.peakRssMb}`,
    'RssAnon before, after MB': `${before[1]!.rssAnonMb}, ${after[1]!.rssAnonMb}`
  }
}

const sessionsUntilEqual = async (
  reader: BenchNode,
  peer: string
): Promise<{ synced: Synced; sessions: number }> => {
  for (let sessions = 1; ; sessions++)
    try {
      return { synced: await reader.api.operate<Synced>('/v1/sync', { peer }), sessions }
    } catch (error) {
      if (!String(error).includes('"TIMEOUT"') || sessions === MAX_SESSIONS) throw error
      await delay(BUSY_MS)
    }
}

/** Kills a node in the middle of its clone; the share of the bytes of all records that had come by then. */
const killed = async (writer: BenchNode, reader: BenchNode, recordBytes: number): Promise<number> => {
  const body = { peer: writer.daemon.peerId }
  const { operation } = await reader.api.call<{ operation: Operation }>('POST', '/v1/sync', body)
  for (;;) {
    const answer = await reader.api.call<{ operation: Operation }>('GET', `/v1/operations/${operation.id}`)
    const { state, progress } = answer.operation
    if (state !== 'running') throw new Error(`the clone has ended before it could be killed: ${state}`)
    const share = (progress?.bytesDone ?? 0) / recordBytes
    if (share < KILLED_AT) {
      await delay(POLL_MS)
      continue
    }
    reader.daemon.kill()
    return share
  }
}
