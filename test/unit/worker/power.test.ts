/** Every operation that was answered survives a power cut: each of these is red without its `sync: true`. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { PendingKeys } from '../../../discovery/announce/pending.ts'
import { ProviderStore } from '../../../discovery/providers/store.ts'
import { packBlocks } from '../../../library/content/block-batch.ts'
import { completeKey } from '../../../library/content/complete.ts'
import { createReleaseRecord, createStatusRecord } from '../../../library/records/index.ts'
import { ConflictPolicies } from '../../../node/services/conflict-policies.ts'
import { FetchJobs } from '../../../node/services/fetch-jobs.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'
import { keyOf, NOW_MS, small } from '../records/examples.ts'
import { PoweredHome } from './power.ts'

const { signal } = new AbortController()
let machine: PoweredHome

beforeEach(async () => {
  machine = await PoweredHome.open()
})
afterEach(() => machine.close())

async function ingest(): Promise<Uint8Array> {
  await machine.host.handle('ingestOpen', { ingest: 1 }, signal)
  const bytes = await makeTar([{ name: 'a', body: pseudoRandom('power', 5000) }])
  await machine.host.handle('ingestWrite', { ingest: 1, bytes }, signal)
  return (await machine.host.handle('ingestFinish', { ingest: 1, nowMs: 1 }, signal)).content
}

test('a published release', async () => {
  const { bytes, id } = createReleaseRecord(small(), keyOf('ada'))
  await machine.registry.publish(bytes)
  machine = await machine.cutPower()
  expect(machine.registry.get(id)?.bytes).toEqual(bytes)
})

test('a release that came from a peer', async () => {
  const { bytes, id } = createReleaseRecord(small(), keyOf('ada'))
  await machine.registry.add(bytes)
  machine = await machine.cutPower()
  expect(machine.registry.get(id)?.bytes).toEqual(bytes)
})

test('releases that came in one batch', async () => {
  const records = ['1.0.0', '2.0.0'].map(version => createReleaseRecord(small({ version }), keyOf('ada')))
  await machine.registry.addAll(records)
  machine = await machine.cutPower()
  for (const { id, bytes } of records) expect(machine.registry.get(id)?.bytes).toEqual(bytes)
})

test('new words for a published release', async () => {
  const [release, revised] = [small(), small({ description: 'new words', sequence: NOW_MS + 1 })]
  await machine.registry.publish(createReleaseRecord(release, keyOf('ada')).bytes)
  const { bytes, id } = createReleaseRecord(revised, keyOf('ada'))
  await machine.registry.revise(bytes)
  machine = await machine.cutPower()
  expect(machine.registry.get(id)?.bytes).toEqual(bytes)
})

test('a yank', async () => {
  const record = createReleaseRecord(small(), keyOf('ada'))
  const { name, version, content } = record.release
  const yank = { name, version, content, state: 'yanked', sequence: NOW_MS } as const
  await machine.registry.publish(record.bytes)
  await machine.registry.publishStatement(createStatusRecord(yank, keyOf('ada')).bytes)
  machine = await machine.cutPower()
  expect(machine.registry.status(record.release)?.status).toMatchObject({ state: 'yanked' })
})

test('how a conflict is looked at', async () => {
  const policies = (): ConflictPolicies =>
    new ConflictPolicies(
      { database: machine.database },
      { rules: { strategy: 'manual', subjects: new Map(), weights: new Map() } }
    )
  await policies().set('@acme', 'newest-wins', signal)
  machine = await machine.cutPower()
  expect(policies().of('@acme/tool').strategy).toBe('newest-wins')
})

test('a pinned owner', async () => {
  const owner = keyOf('ada').publicKey
  await machine.registry.pinOwner('left-pad', owner)
  machine = await machine.cutPower()
  expect(machine.registry.ownerPin('left-pad')).toEqual(owner)
})

test('the mark of a folder that was taken in', async () => {
  const content = await ingest()
  machine = await machine.cutPower()
  expect(machine.database.get(completeKey(content))).toBeDefined()
  expect(await machine.host.handle('verify', { content }, signal)).toMatchObject({ ok: true })
})

test('the mark of a content that was fetched', async () => {
  const content = await ingest()
  await machine.database.write([{ type: 'del', key: completeKey(content) }], { sync: true })
  await machine.host.handle('blocksWrite', { receive: 1, batch: packBlocks([]) }, signal)
  await machine.host.handle(
    'markComplete',
    { receive: 1, request: { content, summary: { sizeBytes: 5000, files: 1 }, nowMs: 1 } },
    signal
  )
  machine = await machine.cutPower()
  expect(machine.database.get(completeKey(content))).toBeDefined()
})

test('the answer that a content is damaged', async () => {
  const content = await ingest()
  const segment = await open(join(machine.home, 'segments', '0'), 'r+')
  await segment.write(Buffer.from([0xff, 0xff]), 0, 2, 100)
  await segment.close()
  expect(await machine.host.handle('verify', { content }, signal)).toMatchObject({ ok: false })
  machine = await machine.cutPower()
  expect(machine.database.get(completeKey(content))).toBeUndefined()
})

test('a claim of a provider', async () => {
  const clock = { ...systemClock, now: () => NOW_MS }
  const storeOf = (): ProviderStore =>
    new ProviderStore(
      { database: machine.database, clock, log: silentLogger, random: () => 0.5 },
      { self: Buffer.alloc(34, 1), isNear: () => true }
    )
  const key = Buffer.alloc(32, 7)
  const claim = {
    provider: Buffer.alloc(34, 2),
    peerRecord: Buffer.from('signed'),
    sequence: 1n,
    keys: [key]
  }
  await storeOf().add({ ...claim, lifetimeMs: 3_600_000 })
  machine = await machine.cutPower()
  expect(await storeOf().get(key, { maxProviders: 10, maxBytes: 10_000 })).toHaveLength(1)
})

test('a key that has yet to be announced', async () => {
  const key = Buffer.alloc(32, 7)
  await (await PendingKeys.load(machine.database)).add([key])
  machine = await machine.cutPower()
  expect((await PendingKeys.load(machine.database)).size).toBe(1)
})

test('a fetch that was asked for', async () => {
  const job = {
    id: CID.parse('bafkqaaa').toString(),
    name: 'left-pad',
    version: '1.0.0',
    startedAt: NOW_MS,
    priority: 'high' as const
  }
  await new FetchJobs({ database: machine.database }).begin(job, signal)
  machine = await machine.cutPower()
  expect(await new FetchJobs({ database: machine.database }).unfinished(signal)).toEqual([job])
})
