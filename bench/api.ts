/**
 * `npm run bench -- api [--seconds N] [--connections N]`: metadata operations over the admin socket, on connections that are kept, one
 * request at a time on each, from a client in a process of its own, which asks for all of its paths once before anything counts. Of the mix 50 % are
 * the releases of a name, 20 % one release with all that is said of it, 10 % the versions of a name, 10 % the state of the node, 10 % pages of
 * 20 releases; what each kind costs is measured beside it, also the first time, when nothing of it is in memory yet.
 * As many as the daemon answers, not as many as are wanted: the load is always full. Target: 10,000 a second, fewer than 0.01 % of them errors.
 * The floor is an HTTP server of Node alone that answers the same client with as many bytes.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SECOND_MS } from '../base/index.ts'
import type { ApiLoad, ApiLoadResult } from './support/api-client.ts'
import { fillLibrary, numberedReleases } from './support/bulk-library.ts'
import { startNode, stopNode } from './support/network.ts'
import { processStats } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const RELEASES = 10_000
/** Names that are asked for, all over the library. */
const NAMES = 2000
const PAGE = 20
/** With fewer, what the first round takes is too short to be measured. */
const LEAST_PATHS = 100
/** Before anything counts, so that what is measured is compiled. */
const WARM_UP_MS = 3 * SECOND_MS
const CLIENT = fileURLToPath(new URL('./support/api-client.ts', import.meta.url))
const FLOOR = fileURLToPath(new URL('./support/api-floor.ts', import.meta.url))

export const run = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '10' }, connections: { type: 'string', default: '16' } }
  })
  const load = { durationMs: Number(values.seconds) * SECOND_MS, connections: Number(values.connections) }
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  try {
    const atStart = loadavg().map(average => round(average, 1))
    const rows = [...(await ofDaemon(root, load)), await ofFloor(root, load)]
    report(
      'api',
      {
        releases: RELEASES,
        ...load,
        loadAverage: { atStart, atEnd: loadavg().map(average => round(average, 1)) }
      },
      rows
    )
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

type Load = Pick<ApiLoad, 'durationMs' | 'connections'>

const ofDaemon = async (root: string, load: Load): Promise<Row[]> => {
  const release = numberedReleases({ isSigned: true })
  const node = await startNode(root, 'node', undefined, undefined, async home => {
    await fillLibrary(home, RELEASES, release)
  })
  try {
    const names = Array.from({ length: NAMES }, (_, at) => release((at * RELEASES) / NAMES).release.name)
    const kinds: Record<string, string[]> = {
      'by name': names.map(name => `/v1/packages/${name}`),
      'one release': names.map(name => `/v1/releases?spec=${name}@1.0.0`),
      versions: names.map(name => `/v1/versions?name=${name}`),
      status: ['/v1/status'],
      'page of 20': await pagesOf(node.api)
    }
    const mixed = Array.from({ length: NAMES }, (_, at) => mixAt(kinds, at))
    const asked = { socketPath: join(node.home, 'admin.sock'), pid: node.daemon.pid }
    const rows: Row[] = []
    for (const [kind, paths] of Object.entries(kinds)) rows.push(await measure(kind, paths, asked, load))
    return [await measure('mix', mixed, asked, load), ...rows]
  } finally {
    await stopNode(node)
  }
}

/** Of ten: five by name, two releases, one of each other kind. */
const mixAt = (kinds: Record<string, string[]>, at: number): string => {
  const order = [
    'by name',
    'one release',
    'by name',
    'versions',
    'by name',
    'status',
    'by name',
    'one release',
    'by name',
    'page of 20'
  ]
  const paths = kinds[order[at % order.length]!]!
  return paths[at % paths.length]!
}

const pagesOf = async (api: { text(path: string): Promise<string> }): Promise<string[]> => {
  const paths = [`/v1/packages?limit=${PAGE}`]
  while (paths.length < NAMES / PAGE) {
    const { next } = JSON.parse(await api.text(paths.at(-1)!)) as { next?: string }
    if (next === undefined) break
    paths.push(`/v1/packages?limit=${PAGE}&after=${encodeURIComponent(next)}`)
  }
  return paths
}

const ofFloor = async (root: string, load: Load): Promise<Row> => {
  const socketPath = join(root, 'floor.sock')
  const server = fork(FLOOR, [socketPath])
  await once(server, 'message')
  try {
    return await measure('floor: Node alone', ['/'], { socketPath, pid: server.pid! }, load)
  } finally {
    server.kill()
  }
}

const measure = async (
  name: string,
  paths: string[],
  { socketPath, pid }: { socketPath: string; pid: number },
  load: Load
): Promise<Row> => {
  const client = fork(CLIENT)
  const ask: ApiLoad = { socketPath, paths, warmUpMs: WARM_UP_MS, ...load }
  const atFirst = processStats(pid).cpuMs
  client.send(ask)
  await once(client, 'message')
  const firstCpuMs = processStats(pid).cpuMs - atFirst
  await once(client, 'message')
  const before = processStats(pid).cpuMs
  const [result] = (await once(client, 'message')) as [ApiLoadResult]
  const cpuMs = processStats(pid).cpuMs - before
  client.kill()
  const { operations, errors, tookMs, bytes } = result
  return {
    name,
    'ops/s': round((operations / tookMs) * SECOND_MS),
    'p50 ms': round(result.p50Ms, 2),
    'p95 ms': round(result.p95Ms, 2),
    'p99 ms': round(result.p99Ms, 2),
    'errors %': round((errors / Math.max(1, operations + errors)) * 100, 4),
    'bytes each': round(bytes / Math.max(1, operations)),
    'CPU µs, the first time': paths.length < LEAST_PATHS ? '' : round((firstCpuMs * 1000) / paths.length),
    'CPU µs of the server each': round((cpuMs * 1000) / Math.max(1, operations)),
    'CPU % server': round((cpuMs / tookMs) * 100),
    'CPU % client': round((result.cpuMs / tookMs) * 100)
  }
}
