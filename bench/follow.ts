/**
 * `npm run bench -- follow [LIBRARIES [RELEASES [DISTINCT]]]`: a daemon that follows many libraries, 1,000 of 1,000 releases unless told, all of
 * which one other daemon shows: disk, start, memory, what comparing all of them costs while nothing changes, and what one change does.
 * The copies are written into both homes before the daemons start. With DISTINCT the libraries share so many releases, each another
 * part of them: their trees and memberships are all there, and it takes a fraction of the time. The floor of the disk are the bytes of the records.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { loadNodeKey } from '../trust/index.ts'
import { benchRelease, fillCopies, fillLibrary, numberedReleases } from './support/bulk-library.ts'
import { type BenchNode, startNode, stopNode } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'
import { storedBy } from './support/stored.ts'

const LIBRARIES = 1000
const RELEASES = 1000
/** So that a round of comparisons begins soon after the one before has ended; the default is 5 minutes. */
const INTERVAL_S = 60
const WINDOW_MS = 2 * INTERVAL_S * 1000
const POLL_MS = 20
const CHANGES = 5
/** Prime, so that libraries that share releases begin at different ones. */
const STRIDE = 7919

export const run = async (args: string[]): Promise<void> => {
  const [libraries = LIBRARIES, releases = RELEASES, distinct] = args.map(Number).filter(Number.isInteger)
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const nodes: BenchNode[] = []
  try {
    const rows: Row[] = []
    const { writer, reader, fill } = await start(root, { libraries, releases, distinct }, nodes)
    rows.push(...fill, ...(await measure({ writer, reader, root }, libraries)))
    report('follow', { libraries, releases, distinct, intervalS: INTERVAL_S }, rows)
  } finally {
    for (const node of nodes.reverse()) await stopNode(node)
    rmSync(root, { recursive: true, force: true })
  }
}

interface Size {
  libraries: number
  releases: number
  distinct: number | undefined
}

/** The node whose libraries they are, and the one that follows its home and all others. */
const start = async (root: string, { libraries, releases, distinct }: Size, nodes: BenchNode[]) => {
  const names = Array.from({ length: libraries - 1 }, (_, number) => `library-${number}`)
  const fill: Row[] = []
  const filled = join(root, 'filled')
  const writer = await startNode(root, 'writer', undefined, undefined, async home => {
    const { key } = await loadNodeKey(join(home, 'node.key'))
    const began = performance.now()
    const shared = distinct === undefined ? {} : { shared: { distinct, written: new Map() } }
    const stride = distinct === undefined ? releases : STRIDE
    const copies = names.map((name, at) => ({ name, writer: key, from: (at + 1) * stride, ...shared }))
    const release = numberedReleases({ isSigned: false })
    await fillCopies(
      home,
      copies.map(copy => ({ ...copy, release, count: releases }))
    )
    fill.push({ name: 'copies written', seconds: round((performance.now() - began) / 1000, 1) })
    fill.push({ name: 'disk', MB: megabytes(join(home, 'db')) })
    cpSync(join(home, 'db'), filled, { recursive: true })
    await fillLibrary(home, releases)
  })
  nodes.push(writer)
  const { invite } = await writer.cli.json<{ invite: string }>('invite')
  const { peerId } = writer.daemon
  const began = { ms: 0 }
  const reader = await startNode(root, 'reader', invite, undefined, async home => {
    rmSync(join(home, 'db'), { recursive: true, force: true })
    cpSync(filled, join(home, 'db'), { recursive: true })
    const follow = JSON.stringify([peerId, ...names.map(name => `${peerId}/${name}`)])
    const config = join(home, 'config.toml')
    const lines = `[sync]\ninterval = "${INTERVAL_S}s"\nfollow = ${follow}\n`
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace('[sync]\n', () => lines)
    )
    began.ms = performance.now()
  })
  nodes.push(reader)
  fill.push({ name: 'process start to ready line', ms: round(performance.now() - began.ms) })
  rmSync(filled, { recursive: true })
  return { writer, reader, fill }
}

interface FollowShape {
  state: string
  nextAt: string
  error?: string
}

const measure = async (
  { writer, reader, root }: { writer: BenchNode; reader: BenchNode; root: string },
  libraries: number
): Promise<Row[]> => {
  const began = performance.now()
  await until(async () => (await compared(reader)) >= libraries)
  const first = { name: 'all compared for the first time', seconds: seconds(began), ...memory(reader) }
  const idle = await idling(writer, reader)
  const change = await changing(writer, reader, root)
  return [first, idle, change]
}

/** A while in which nothing changes. */
const idling = async (writer: BenchNode, reader: BenchNode): Promise<Row> => {
  const before = await figures(writer, reader)
  await delay(WINDOW_MS)
  const after = await figures(writer, reader)
  const sessions = after.sessions - before.sessions
  return {
    name: 'a comparison that finds nothing',
    sessions,
    'bytes in': round((after.bytes - before.bytes) / sessions),
    'CPU ms, follower': round((after.readerMs - before.readerMs) / sessions, 2),
    'CPU ms, source': round((after.writerMs - before.writerMs) / sessions, 2),
    ...memory(reader)
  }
}

/** New releases in one of the libraries, one after the other. */
const changing = async (writer: BenchNode, reader: BenchNode, root: string): Promise<Row> => {
  const stored = await storedBy(writer, root)
  const tookMs: number[] = []
  for (let number = 0; number < CHANGES; number++) {
    const record = benchRelease(1e9 + number, stored)
    const began = performance.now()
    await writer.api.operate('/v1/packages', {
      record: Buffer.from(record.bytes).toString('base64'),
      wait: 0
    })
    await until(async () => (await versions(reader, `package-${1e9 + number}`)) > 0)
    tookMs.push(performance.now() - began)
  }
  return { name: 'a new release is known, median', ms: round(tookMs.sort((a, b) => a - b)[CHANGES >> 1]!) }
}

const versions = async ({ api }: BenchNode, name: string): Promise<number> => {
  const { versions: known } = await api.call<{ versions: unknown[] }>('GET', `/v1/packages/${name}`)
  return known.length
}

const figures = async (writer: BenchNode, reader: BenchNode) => ({
  sessions: await metric(reader, 'sync_sessions_total'),
  bytes: await metric(reader, 'sync_received_bytes_total'),
  readerMs: reader.stats().cpuMs,
  writerMs: writer.stats().cpuMs
})

/** Subscriptions that have had a success. */
const compared = async ({ api }: BenchNode): Promise<number> => {
  const { follows } = await api.call<{ follows: FollowShape[] }>('GET', '/v1/sync')
  return follows.filter(
    ({ state, nextAt, error }) => state === 'waiting' && error === undefined && Date.parse(nextAt) > 0
  ).length
}

/** The sum of a counter over its labels. */
const metric = async ({ api }: BenchNode, name: string): Promise<number> => {
  const text = await api.text('/metrics')
  const lines = text.split('\n').filter(line => line.startsWith(`catalog_${name}`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

const memory = (node: BenchNode) => {
  const { rssMb, rssAnonMb, peakRssMb } = node.stats()
  return { 'RSS MB': rssMb, 'RssAnon MB': rssAnonMb, 'peak MB': peakRssMb }
}

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await delay(POLL_MS)
}

const seconds = (beganMs: number): number => round((performance.now() - beganMs) / 1000, 1)

const megabytes = (folder: string): number =>
  round(readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6, 1)
