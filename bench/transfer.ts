/**
 * `npm run bench -- transfer [--quick]`: a release moves from a publisher to a consumer, two real daemons on loopback: one file of
 * 1 GiB; the same from three sources at once; one of text, which is kept compressed; 10,000 small files; 10 changed and 10
 * new of them. Wall time runs from the request to verified and synced in the consumer's store, then from there to installed
 * files. The floor (one Node socket, SHA-256, one file) runs on the same data in the same run.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GIB, MIB } from '../base/index.ts'
import { changeFiles, type Dataset, largeFile, smallFiles, textFile } from './support/datasets.ts'
import { measureFloor } from './support/floor.ts'
import { type BenchNetwork, startNetwork } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'

const SMALL_FILES = 10_000
const CHANGED = 10
const ADDED = 10

interface Case {
  name: string
  spec: string
  data: Dataset
  /** Bytes that the consumer does not hold yet. */
  newBytes: number
}

interface FetchResult {
  bytesFetched: number
  bytesReused: number
  tookMs: number
  /** What each source sent, as on the wire: with manifest, trees and headers. */
  sources: Array<{ bytes: number }>
}

export const run = async (args: string[]): Promise<void> => {
  const quick = args.includes('--quick')
  const network = await startNetwork()
  try {
    const rows: Row[] = []
    const work = join(network.root, 'data')
    const large = largeFile(join(work, 'large'), quick ? 128 * MIB : GIB)
    rows.push(
      ...(await measure(network, {
        name: 'one file',
        spec: 'large@1.0.0',
        data: large,
        newBytes: large.sizeBytes
      }))
    )
    rmSync(large.folder, { recursive: true })
    rows.push(...(await measureSources(network, 'large@1.0.0', large.sizeBytes)))
    const text = textFile(join(work, 'text'), quick ? 64 * MIB : 512 * MIB)
    const textCase = { name: 'one file of text', spec: 'text@1.0.0', data: text, newBytes: text.sizeBytes }
    rows.push(...(await measure(network, textCase)))
    rmSync(text.folder, { recursive: true })
    const count = quick ? SMALL_FILES / 10 : SMALL_FILES
    const small = smallFiles(join(work, 'small'), count)
    rows.push(
      ...(await measure(network, {
        name: `${count} files`,
        spec: 'small@1.0.0',
        data: small,
        newBytes: small.sizeBytes
      }))
    )
    const newBytes = changeFiles(small.folder, count, CHANGED, ADDED)
    const update = { name: `${CHANGED} changed, ${ADDED} new`, spec: 'small@1.0.1', data: small, newBytes }
    rows.push(...(await measure(network, update)))
    report('transfer', await settings(network), rows)
  } finally {
    await network.close()
  }
}

/** The same release from three nodes at once, beside one of them alone, each time to a node that has nothing. */
const measureSources = async (network: BenchNetwork, spec: string, sizeBytes: number): Promise<Row[]> => {
  const { publisher, consumer, seed } = network
  await seed.api.operate<FetchResult>('/v1/fetches', { spec })
  const holders = [publisher, consumer, seed]
  const ids = await Promise.all(holders.map(({ api }) => api.call<{ peerId: string }>('GET', '/v1/id')))
  const rows: Row[] = []
  for (const from of [ids[0]!.peerId, undefined]) {
    const sink = await network.join(from === undefined ? 'from-three' : 'from-one')
    const before = holders.map(holder => holder.stats().cpuMs)
    const began = performance.now()
    const body = from === undefined ? { spec } : { spec, from }
    const { sources } = await sink.api.operate<FetchResult>('/v1/fetches', body)
    const wallMs = performance.now() - began
    const cpuMs = holders.reduce((sum, holder, i) => sum + holder.stats().cpuMs - before[i]!, 0)
    rows.push({
      name: `one file, ${sources.length} of ${from === undefined ? 'three' : 'one'} sources: fetch`,
      wallMs: round(wallMs),
      'MB/s': round(sizeBytes / 1e6 / (wallMs / 1000)),
      'CPU source ms': round(cpuMs),
      'CPU sink ms': round(sink.stats().cpuMs),
      'RSS sink MB': sink.stats().peakRssMb,
      'wire / new bytes': round(sources.reduce((sum, { bytes }) => sum + bytes, 0) / sizeBytes, 3)
    })
    // It would be one more source for the next.
    await sink.api.call('POST', '/v1/pause')
  }
  return rows
}

/** Settings that bound a transfer. */
const BOUNDS = ['fetch.', 'limits.', 'quic.', 'memory.']

/** The limits in force at both ends. */
const settings = async (network: BenchNetwork): Promise<object> => {
  const { values } = await network.consumer.api.call<{ values: Array<{ key: string; value: unknown }> }>(
    'GET',
    '/v1/config'
  )
  const bounds = values.filter(({ key }) => BOUNDS.some(section => key.startsWith(section)))
  return Object.fromEntries(bounds.map(({ key, value }) => [key, value]))
}

const measure = async (network: BenchNetwork, { name, spec, data, newBytes }: Case): Promise<Row[]> => {
  const { publisher, consumer, root } = network
  const [packageName, version] = spec.split('@') as [string, string]
  const publishBegan = performance.now()
  await publisher.cli.json('publish', data.folder, '--name', packageName, '--version', version, '--wait', '1')
  const publishMs = performance.now() - publishBegan

  const floorFile = join(root, 'floor.bin')
  const floor = await measureFloor(data.folder, floorFile)
  rmSync(floorFile)

  const [from, to] = [publisher.stats(), consumer.stats()]
  const began = performance.now()
  const result = await consumer.api.operate<FetchResult>('/v1/fetches', { spec })
  const wallMs = performance.now() - began
  const [sent, received] = [publisher.stats(), consumer.stats()]
  const wireBytes = result.sources.reduce((sum, { bytes }) => sum + bytes, 0)

  // Over the version before, as an update is.
  const target = join(root, `target-${packageName}`)
  const installBegan = performance.now()
  await consumer.cli.json('install', spec, '--to', target)
  const installMs = performance.now() - installBegan
  // Thousands of small files stay until the end: without a journal ext4 looks at every inode freed in the last minutes for each it gives.
  if (data.files === 1) rmSync(target, { recursive: true })

  const rate = (ms: number): number => round(newBytes / 1e6 / (ms / 1000))
  return [
    {
      name: `${name}: fetch`,
      wallMs: round(wallMs),
      'MB/s': rate(wallMs),
      'x floor': round(wallMs / floor.wallMs, 2),
      'CPU source ms': round(sent.cpuMs - from.cpuMs),
      'CPU sink ms': round(received.cpuMs - to.cpuMs),
      'RSS source MB': sent.peakRssMb,
      'RSS sink MB': received.peakRssMb,
      'wire / new bytes': round(wireBytes / newBytes, 3)
    },
    {
      name: `${name}: floor`,
      wallMs: round(floor.wallMs),
      'MB/s': rate(floor.wallMs),
      'x floor': 1,
      'CPU source ms': round(floor.cpuMs.sender),
      'CPU sink ms': round(floor.cpuMs.receiver)
    },
    { name: `${name}: publish`, wallMs: round(publishMs), 'MB/s': round(data.sizeBytes / 1e3 / publishMs) },
    { name: `${name}: install`, wallMs: round(installMs), 'MB/s': round(data.sizeBytes / 1e3 / installMs) }
  ]
}
