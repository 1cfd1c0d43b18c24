/** The event loop of a real daemon while the command line publishes 1 GiB to it and a peer fetches another release from it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GIB, MIB } from '../../base/index.ts'
import { largeFile } from '../../bench/support/datasets.ts'
import { measureLoopDelay } from '../../bench/support/loop-delay.ts'
import { eventually } from '../daemon/support.ts'
import { TestNode } from './support/node.ts'

const PUBLISHED_BYTES = GIB
const SERVED_BYTES = 512 * MIB
/** The promise, for a machine that delays nobody: what the idle process beside the daemon suffers is taken off. */
const P99_MS = 10
/** A peer that starves is silent for a while. */
const PATIENT = { 'quic.maxIdleTimeout': '30s', 'quic.keepAliveInterval': '3s' }
const TEST_TIMEOUT_MS = 300_000

let folder: string
const nodes: TestNode[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-loop-'))
})

afterAll(async () => {
  await Promise.all(nodes.map(node => node.kill()))
  await rm(folder, { recursive: true, force: true })
})

/** Goes on when the fetch breaks off: the daemon goes before its peer, which on a crowded machine may starve for seconds. */
async function fetchAll(consumer: TestNode): Promise<void> {
  await eventually(async () => (await consumer.run('fetch', 'served')).code === 0, TEST_TIMEOUT_MS)
}

it(
  'is held up by less than 10 ms at the 99th percentile',
  async () => {
    for (const name of ['publisher', 'consumer']) {
      const node = await TestNode.create(join(folder, name))
      nodes.push(node)
      await node.start(PATIENT)
    }
    const [publisher, consumer] = nodes as [TestNode, TestNode]
    const publish = async (name: string, sizeBytes: number) => {
      const source = largeFile(join(folder, name), sizeBytes, name)
      return () => publisher.run('publish', source.folder, '--name', name, '--version', '1.0.0')
    }
    expect((await (await publish('served', SERVED_BYTES))()).error).toBeUndefined()
    const publishOther = await publish('published', PUBLISHED_BYTES)
    await consumer.connectTo(publisher)

    const { daemon, reference } = await measureLoopDelay(
      async () => {
        const [published] = await Promise.all([publishOther(), fetchAll(consumer)])
        expect(published.error).toBeUndefined()
      },
      {
        pid: publisher.daemon.process.pid!,
        readMetrics: async () => (await publisher.daemon.api('GET', '/metrics')).bytes.toString()
      }
    )
    console.log(`event loop: daemon ${JSON.stringify(daemon)}, idle process ${JSON.stringify(reference)}`)
    expect(daemon.p99Ms - reference.p99Ms).toBeLessThan(P99_MS)
  },
  TEST_TIMEOUT_MS
)
