/** Segments on their way to a bucket that comes and goes, on a disk that forgets: whatever comes between, nothing acknowledged is lost. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { hashBlock, sameId } from '../../../library/content/blocks.ts'
import { type Bucket, type BucketObject, BucketOwner } from '../../../library/content/bucket.ts'
import { BucketSegments } from '../../../library/content/bucket-segments.ts'
import { LocalSegments } from '../../../library/content/local-segments.ts'
import { encodeTail, RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { TAIL_KEY } from '../../../library/content/segment-modules.ts'
import { SegmentStore } from '../../../library/content/segments.ts'
import { WriteSession } from '../../../library/content/stage.ts'
import type { IncomingBlock } from '../../../library/content/types.ts'
import { KeyFamily, makeKey } from '../../../library/database/keys.ts'
import { DiskReads, FakeDisk, FakeIndex, makeBlock } from './fakes.ts'

const FOLDER = '/home/segments'
const SEGMENT_BYTES = 40_000
const BLOCK_BYTES = 9000

/** A bucket in memory. `trouble`: away, or it does what it is told and its answer is lost. */
class MemoryBucket implements Bucket {
  readonly objects = new Map<string, { bytes: Buffer; sha256: string }>()
  trouble: 'away' | 'deaf' | undefined
  /** Called while an object is on its way. */
  onPut: (() => Promise<void>) | undefined
  /** Called before anything of an object is read. */
  onBody: (() => Promise<void>) | undefined

  async put(
    name: string,
    body: AsyncIterable<Uint8Array>,
    object: BucketObject & { sha256: string }
  ): Promise<void> {
    this.#expectHere()
    const parts: Uint8Array[] = []
    await this.onBody?.()
    for await (const part of body) parts.push(Uint8Array.from(part))
    await this.onPut?.()
    this.objects.set(name, { bytes: Buffer.concat(parts), sha256: object.sha256 })
    this.#expectHeard()
  }

  async get(name: string, fromBytes: number, lengthBytes: number): Promise<Buffer | undefined> {
    this.#expectHere()
    return this.objects.get(name)?.bytes.subarray(fromBytes, fromBytes + lengthBytes)
  }

  async head(name: string): Promise<BucketObject | undefined> {
    this.#expectHere()
    const object = this.objects.get(name)
    return object && { sizeBytes: object.bytes.byteLength, sha256: object.sha256 }
  }

  async remove(name: string): Promise<void> {
    this.#expectHere()
    this.objects.delete(name)
    this.#expectHeard()
  }

  async *list(): AsyncGenerator<{ name: string; sizeBytes: number }> {
    this.#expectHere()
    for (const [name, { bytes }] of this.objects) yield { name, sizeBytes: bytes.byteLength }
  }

  close(): void {}

  #expectHere(): void {
    if (this.trouble === 'away') throw new CatalogError('BUCKET_UNREACHABLE', 'away')
  }

  #expectHeard(): void {
    if (this.trouble === 'deaf') throw new CatalogError('BUCKET_UNREACHABLE', 'no answer')
  }
}

/** A machine with a store and a bucket. */
class Offsite {
  readonly disk = new FakeDisk()
  readonly index = new FakeIndex()
  readonly bucket = new MemoryBucket()
  /** Acknowledged and not dropped. */
  readonly held = new Map<number, IncomingBlock>()
  readonly dropped: number[] = []
  backend!: BucketSegments
  store!: SegmentStore
  #next = 0

  constructor() {
    this.disk.folders.set('/home', true)
  }

  async open(): Promise<void> {
    const local = new LocalSegments({ disk: this.disk, reads: new DiskReads(this.disk, FOLDER) }, FOLDER)
    const owner = new BucketOwner(this.bucket, 'a'.repeat(32))
    const modules = { local, bucket: this.bucket, owner, index: this.index, log: silentLogger }
    this.backend = new BucketSegments(modules, { backlogBytes: 300_000, cacheBytes: SEGMENT_BYTES })
    const segmentModules = { backend: this.backend, index: this.index, log: silentLogger }
    this.store = await SegmentStore.open(segmentModules, { segmentBytes: SEGMENT_BYTES })
  }

  async put(count: number): Promise<void> {
    const fresh = Array.from({ length: count }, () => this.#next++)
    const blocks = fresh.map(seed => makeBlock(seed, BLOCK_BYTES))
    const session = new WriteSession()
    for (const block of blocks) await this.store.put(block, session)
    const isFull = await this.store.flush(session).then(
      () => false,
      (error: CatalogError) => error.code === 'BUCKET_BACKLOG_FULL' || Promise.reject(error)
    )
    if (!isFull) for (const [i, seed] of fresh.entries()) this.held.set(seed, blocks[i]!)
  }

  /** False when there is nothing more to do, or the bucket does not take it. */
  async step(): Promise<boolean> {
    try {
      return (await this.backend.step(new AbortController().signal)).isMore
    } catch (thrown) {
      if ((thrown as CatalogError).code !== 'BUCKET_UNREACHABLE') throw thrown
      return false
    }
  }

  /** What a collection does with the oldest segment when nothing in it is needed. */
  async drop(): Promise<void> {
    const [oldest] = await this.backend.list()
    if (oldest === undefined || !this.backend.isSealed(oldest)) return
    await this.store.change(async tail => {
      const gone = [...this.held].filter(([, { id }]) => this.store.locate(id)?.segment === oldest)
      for (const [seed] of gone) this.held.delete(seed)
      const next = { ...tail, blocks: tail.blocks - gone.length }
      await this.index.batch(
        [
          ...gone.map(([, { id }]) => ({ type: 'del', key: makeKey(KeyFamily.Block, id) }) as const),
          { type: 'put', key: TAIL_KEY, value: encodeTail(next) }
        ],
        { sync: true }
      )
      await this.backend.remove(oldest)
      this.dropped.push(oldest)
      return next
    })
  }

  /** The power goes. `kept`: share of the unsynced batches that survive. */
  async crash(kept: number): Promise<void> {
    this.disk.crash()
    this.index.crash(kept)
    await this.open()
  }

  /** Every block that was acknowledged is where the index says. */
  async check(): Promise<void> {
    for (const { id } of this.held.values()) {
      const location = this.store.locate(id)
      expect(location).toBeDefined()
      const bytes = Buffer.alloc(location!.lengthBytes)
      await this.backend.readInto(location!.segment, [bytes], location!.offsetBytes + RECORD_HEAD_BYTES)
      expect(sameId(hashBlock(bytes), id)).toBe(true)
    }
  }
}

type Move =
  | { kind: 'put'; count: number }
  | { kind: 'step' }
  | { kind: 'drop' }
  | { kind: 'bucket'; trouble: MemoryBucket['trouble'] }
  | { kind: 'crash'; kept: number }

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('put' as const), count: fc.integer({ min: 1, max: 6 }) })
    },
    { weight: 5, arbitrary: fc.constant({ kind: 'step' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'drop' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('bucket' as const),
        trouble: fc.constantFrom<MemoryBucket['trouble']>('away', 'deaf', undefined)
      })
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('crash' as const),
        kept: fc.double({ min: 0, max: 1, noNaN: true })
      })
    }
  ),
  { maxLength: 40 }
)

test('whatever the bucket and the power do, nothing acknowledged is lost and nothing is left behind', {
  timeout: 120_000
}, async () => {
  await fc.assert(
    fc.asyncProperty(moves, async sequence => {
      const offsite = new Offsite()
      await offsite.open()
      for (const move of sequence) {
        if (move.kind === 'put') await offsite.put(move.count)
        else if (move.kind === 'step') await offsite.step()
        else if (move.kind === 'drop') await offsite.drop()
        else if (move.kind === 'bucket') offsite.bucket.trouble = move.trouble
        else await offsite.crash(move.kept)
      }
      offsite.bucket.trouble = undefined
      await offsite.check()
      await offsite.crash(0)
      while (await offsite.step());
      await offsite.check()
      const sealed = (await offsite.backend.list()).filter(segment => offsite.backend.isSealed(segment))
      const objects = [...offsite.bucket.objects.keys()].filter(name => name !== 'owner')
      expect(sealed.filter(segment => offsite.dropped.includes(segment))).toEqual([])
      expect(objects.sort()).toEqual(sealed.map(segment => `segments/${segment}`).sort())
    }),
    { numRuns: 100 }
  )
})

test('while the bucket is away writes go on, up to the backlog, and again when it is back', async () => {
  const offsite = new Offsite()
  await offsite.open()
  offsite.bucket.trouble = 'away'
  for (let i = 0; i < 40; i++) await offsite.put(2)
  const held = offsite.held.size
  expect(held).toBeGreaterThan(20)
  expect(held * BLOCK_BYTES).toBeLessThan(300_000)
  await offsite.check()
  offsite.bucket.trouble = undefined
  while (await offsite.step());
  await offsite.put(2)
  expect(offsite.held.size).toBe(held + 2)
  const read = offsite.held.get(0)!
  offsite.bucket.trouble = 'away'
  const { segment } = offsite.store.locate(read.id)!
  await expect(offsite.backend.readInto(segment, [Buffer.alloc(9)], 0)).rejects.toMatchObject({
    code: 'BUCKET_UNREACHABLE'
  })
})

test('a segment that a collection drops while it is being sent does not stay in the bucket', async () => {
  const offsite = new Offsite()
  await offsite.open()
  await offsite.put(4)
  await offsite.put(4)
  offsite.bucket.onPut = async () => {
    offsite.bucket.onPut = undefined
    if (offsite.dropped.length === 0) await offsite.drop()
  }
  // The first object on its way says whose the bucket is.
  offsite.bucket.objects.set('owner', { bytes: Buffer.from('a'.repeat(32)), sha256: '' })
  await offsite.step()
  expect(offsite.dropped).toEqual([0])
  expect([...offsite.bucket.objects.keys()]).toContain('segments/0')
  await offsite.crash(0)
  while (await offsite.step());
  expect([...offsite.bucket.objects.keys()]).toEqual(['owner'])
})

test('a segment that is dropped while it is read to be sent fails nothing', async () => {
  const offsite = new Offsite()
  await offsite.open()
  await offsite.put(4)
  await offsite.put(4)
  offsite.bucket.onBody = async () => {
    offsite.bucket.onBody = undefined
    await offsite.drop()
  }
  offsite.bucket.objects.set('owner', { bytes: Buffer.from('a'.repeat(32)), sha256: '' })
  await expect(offsite.backend.step(new AbortController().signal)).resolves.toMatchObject({ sentBytes: 0 })
  expect(offsite.dropped).toEqual([0])
  while (await offsite.step());
  expect([...offsite.bucket.objects.keys()]).not.toContain('segments/0')
})

test('an object that this store has not put there is never overwritten', async () => {
  const offsite = new Offsite()
  await offsite.open()
  const other = { bytes: Buffer.from('other'), sha256: '00' }
  offsite.bucket.objects.set('segments/0', other)
  await offsite.put(4)
  await offsite.put(4)
  await expect(offsite.step()).rejects.toMatchObject({ code: 'BUCKET_CONFLICT' })
  expect(offsite.bucket.objects.get('segments/0')).toBe(other)
  await offsite.check()
})
