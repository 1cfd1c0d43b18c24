/** `npm run bench -- idle [--quick]`: what a daemon that does nothing costs: time to ready, memory with and without its worker, CPU. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Catalog } from '../scripts/quickstart/catalog.ts'
import { AdminApi } from './support/admin.ts'
import { processStats } from './support/process-stats.ts'
import { type Row, report, round } from './support/report.ts'

const STARTS = 7
/** Longer than the worker stays after its last job (60 s). */
const WORKER_STOPPED_MS = 75_000
/** Memory is read when start-up's garbage is gone. */
const SETTLE_MS = 5_000

export const run = async (args: string[]): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  try {
    const rows = await measure(root, args.includes('--quick'))
    report(
      'idle',
      { starts: STARTS, workerStoppedMs: args.includes('--quick') ? 0 : WORKER_STOPPED_MS },
      rows
    )
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const measure = async (root: string, quick: boolean): Promise<Row[]> => {
  const home = join(root, 'home')
  const catalog = new Catalog(home)
  await catalog.json('init')
  const readyMs: number[] = []
  const bareMs: number[] = []
  for (let i = 0; i < STARTS; i++) {
    bareMs.push(await bareNodeMs(root))
    const began = performance.now()
    const daemon = await catalog.startDaemon('idle')
    readyMs.push(performance.now() - began)
    await daemon.stop()
  }
  const daemon = await catalog.startDaemon('idle')
  const api = new AdminApi(home)
  await delay(SETTLE_MS)
  const rows: Row[] = [
    {
      name: 'process start to ready line, median',
      ms: round(median(readyMs)),
      'x bare node': round(median(readyMs) / median(bareMs), 2)
    },
    { name: 'bare node process, median', ms: round(median(bareMs)), 'x bare node': 1 }
  ]
  const folder = join(root, 'package')
  await wakeWorker(catalog, folder)
  await delay(SETTLE_MS)
  rows.push({
    name: 'RSS with the worker',
    MB: processStats(daemon.pid).rssMb,
    anonymousMB: processStats(daemon.pid).rssAnonMb
  })
  if (!quick) {
    await delay(WORKER_STOPPED_MS)
    const before = processStats(daemon.pid)
    await delay(SETTLE_MS)
    const after = processStats(daemon.pid)
    rows.push({ name: 'RSS with the worker stopped', MB: after.rssMb, anonymousMB: after.rssAnonMb })
    rows.push({
      name: 'CPU while idle',
      percentOfACore: round(((after.cpuMs - before.cpuMs) / SETTLE_MS) * 100, 2)
    })
  }
  api.close()
  await daemon.stop()
  return rows
}

/** Publishes one small file, so that the worker runs. */
const wakeWorker = async (catalog: Catalog, folder: string): Promise<void> => {
  const { mkdirSync } = await import('node:fs')
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.js'), 'export default 1\n')
  await catalog.json('publish', folder, '--name', 'tiny', '--version', '1.0.0')
}

const bareNodeMs = async (root: string): Promise<number> => {
  const { spawnSync } = await import('node:child_process')
  const script = join(root, 'empty.mjs')
  writeFileSync(script, '')
  const began = performance.now()
  spawnSync(process.execPath, [script])
  return performance.now() - began
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
