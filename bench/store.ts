/**
 * `npm run bench -- store [--quick]`: the same folders published into and streamed from a node whose segments stand on the disk and one that
 * keeps them in a bucket of a local S3 server (s3rver), with no local copies, so that every read goes to the bucket; and copied
 * from the first to another home. Beside them what that server alone does with as many bytes: whole segments put, and read in
 * parts of 1 MiB, one after another.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MIB } from '../base/index.ts'
import { openBucket } from '../library/content/bucket.ts'
import { Catalog } from '../scripts/quickstart/catalog.ts'
import { BucketServer } from '../test/unit/content/bucket-server.ts'
import type { Dataset } from './support/datasets.ts'
import type { BenchNode } from './support/network.ts'
import type { Row } from './support/report.ts'
import { benchStores, type StoreBench, speed, timed } from './support/store-bench.ts'

const SEGMENT_BYTES = 64 * MIB
const PART_BYTES = MIB
/** How often it is looked whether the bucket has everything. */
const POLL_MS = 20
const SENT = 'node_bucket_sent_bytes_total'

export const run = async (args: string[]): Promise<void> => {
  const server = await BucketServer.start()
  try {
    await benchStores(
      'store',
      args,
      async start => [await start('disk'), await start('bucket', { settings: settingsOf(server) })] as const,
      (what, data, bench) => measure(what, data, bench, server)
    )
  } finally {
    await server.destroy()
  }
}

const settingsOf = (server: BucketServer): Record<string, string> => {
  const { endpoint, bucket, credentials } = server.settings('')
  const file = join(server.folder, 'credentials.toml')
  const lines = Object.entries(credentials).map(([name, value]) => `${name} = "${value}"\n`)
  writeFileSync(file, lines.join(''), { mode: 0o600 })
  return {
    'store.backend': 's3',
    'store.s3.endpoint': endpoint,
    'store.s3.bucket': bucket,
    'store.s3.credentials': file,
    'store.s3.cache': '0'
  }
}

const measure = async (
  what: string,
  { folder, sizeBytes, files }: Dataset,
  { nodes: [disk, bucket], root }: StoreBench<readonly [BenchNode, BenchNode]>,
  server: BucketServer
): Promise<Row[]> => {
  const rows: Row[] = []
  const row = async (name: string, node: BenchNode, bytes: number, work: () => Promise<unknown>) => {
    const cpuBefore = node.stats().cpuMs
    const ms = await timed(work)
    rows.push({
      name: `${what}: ${name}`,
      ...speed(bytes, ms),
      'CPU ms': node.stats().cpuMs - cpuBefore,
      'peak RSS MB': node.stats().peakRssMb
    })
  }
  for (const [who, node] of [['disk', disk] as const, ['bucket', bucket] as const]) {
    let content = ''
    const sentBefore = await metricOf(node, SENT)
    const began = performance.now()
    await row(`publish, ${who}`, node, sizeBytes, async () => {
      const args = ['publish', folder, '--name', `stored-${files}`, '--version', '1.0.0']
      content = (await node.cli.json<{ content: string }>(...args)).content
    })
    if (node === bucket) {
      await untilSent(node)
      const sentBytes = (await metricOf(node, SENT)) - sentBefore
      // Less than one segment stays here.
      if (sentBytes > 0)
        rows.push({
          name: `${what}: until the bucket has it`,
          ...speed(sentBytes, performance.now() - began)
        })
    }
    await row(`verified stream, ${who}`, node, sizeBytes, () => node.api.drain(`/v1/contents/${content}/tar`))
  }
  const other = join(root, `copy-${files}`)
  await new Catalog(other).json('init')
  await row('copied to another home', disk, sizeBytes, () => disk.api.operate('/v1/copies', { to: other }))
  return [...rows, ...(await serverAlone(what, sizeBytes, server))]
}

/** Only the segment that is being written is here still: the others stand in the bucket alone. */
const untilSent = async ({ home }: BenchNode): Promise<void> => {
  const isSent = (): boolean =>
    readdirSync(join(home, 'segments')).filter(name => /^\d+$/.test(name)).length <= 1
  while (!isSent()) await delay(POLL_MS)
}

const metricOf = async ({ api }: BenchNode, name: string): Promise<number> => {
  const text = await api.text('/metrics')
  return Number(new RegExp(`^catalog_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
}

/** What the server and its client take for the same number of bytes. */
const serverAlone = async (what: string, sizeBytes: number, server: BucketServer): Promise<Row[]> => {
  const bucket = await openBucket(server.settings('alone/'))
  const segment = randomBytes(Math.min(SEGMENT_BYTES, sizeBytes))
  const sha256 = createHash('sha256').update(segment).digest('hex')
  const names = Array.from({ length: Math.ceil(sizeBytes / segment.byteLength) }, (_, i) => `${what}/${i}`)
  const putMs = await timed(async () => {
    for (const name of names) await bucket.put(name, once(segment), { sizeBytes: segment.byteLength, sha256 })
  })
  const getMs = await timed(async () => {
    for (const name of names)
      for (let at = 0; at < segment.byteLength; at += PART_BYTES) await bucket.get(name, at, PART_BYTES)
  })
  bucket.close()
  const bytes = names.length * segment.byteLength
  return [
    { name: `${what}: the server alone, segments put`, ...speed(bytes, putMs) },
    { name: `${what}: the server alone, parts read`, ...speed(bytes, getMs) }
  ]
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
