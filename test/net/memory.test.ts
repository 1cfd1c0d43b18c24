/** How much memory a daemon takes above its idle one: for files of any size, and for peers that ask and never read. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { GIB, MIB } from '../../base/index.ts'
import { largeFile } from '../../bench/support/datasets.ts'
import { processStats, resetPeak } from '../../bench/support/process-stats.ts'
import { MAX_STREAMS_PER_PEER } from '../../protocols/content/limits.ts'
import { Hostile } from '../daemon/support/hostile.ts'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { runCommand } from './support/program.ts'

/** The promise: above the memory of the same daemon at rest. */
const ABOVE_IDLE_MB = 150
const GREEDY_PEERS = 7
/** Asked so often without a change, a daemon serves no more. */
const STILL_TIMES = 20
const TEST_MS = 240_000

let folder: string
let net: TestNet

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-memory-'))
})

afterEach(async () => {
  await net?.destroy()
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const run = async (daemon: TestDaemon, ...args: string[]): Promise<void> => {
  const { error } = await runCommand([...args, '--home', daemon.home.root]).ended
  expect(error).toBeUndefined()
}

const rssMb = (daemon: TestDaemon): number => processStats(daemon.process.pid!).rssMb

/** What a daemon has at most while `work` goes on, MB. */
async function peakMb(daemons: TestDaemon[], work: () => Promise<unknown>): Promise<number[]> {
  const pids = daemons.map(daemon => daemon.process.pid!)
  pids.forEach(resetPeak)
  await work()
  return pids.map(pid => processStats(pid).peakRssMb)
}

it(
  'takes no more for a large file than for a small one, on either side',
  async () => {
    net = await TestNet.create()
    const source = await net.start('source')
    const sink = await net.start('sink', { join: source })
    const idleMb = [source, sink].map(rssMb)
    const moved = async (name: string, sizeBytes: number): Promise<number[]> => {
      const file = largeFile(join(folder, name), sizeBytes, name)
      const peaks = await peakMb([source, sink], async () => {
        await run(source, 'publish', file.folder, '--name', name, '--version', '1.0.0')
        await run(sink, 'fetch', name)
      })
      return peaks.map((peak, i) => peak - idleMb[i]!)
    }
    const small = await moved('small', 128 * MIB)
    const large = await moved('large', GIB)
    console.log('MB above idle, source and sink: 128 MiB', small, '1 GiB', large)
    expect(Math.max(...small, ...large)).toBeLessThan(ABOVE_IDLE_MB)
  },
  TEST_MS
)

it(
  'takes little for peers that ask on many streams and never read',
  async () => {
    net = await TestNet.create()
    const source = await net.start('source')
    const idleMb = rssMb(source)
    const file = largeFile(join(folder, 'wanted'), 64 * MIB, 'wanted')
    await run(source, 'publish', file.folder, '--name', 'wanted', '--version', '1.0.0')
    const [{ id }] = (await source.ok('GET', '/v1/packages')).packages
    const hostile = await Hostile.start()
    try {
      const peers = await Promise.all(Array.from({ length: GREEDY_PEERS }, () => hostile.join(source)))
      const [peak = 0] = await peakMb([source], async () => {
        for (const peer of peers) peer.attack('answers that are never read', id).catch(() => undefined)
        const at = { bytes: 0, times: 0 }
        await eventually(async () => {
          const { streams, bytes } = await served(source)
          at.times = bytes === at.bytes ? at.times + 1 : 0
          at.bytes = bytes
          return streams === GREEDY_PEERS * MAX_STREAMS_PER_PEER && at.times === STILL_TIMES
        })
      })
      console.log('MB above idle:', peak - idleMb)
      expect(peak - idleMb).toBeLessThan(ABOVE_IDLE_MB)
    } finally {
      await hostile.stop()
    }
  },
  TEST_MS
)

/** Streams to which a daemon gives content now, and the bytes of all so far. */
async function served(daemon: TestDaemon): Promise<{ streams: number; bytes: number }> {
  const text = (await daemon.api('GET', '/metrics')).bytes.toString()
  const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
  return {
    streams: value('catalog_content_served_streams'),
    bytes: value('catalog_content_served_bytes_total')
  }
}
