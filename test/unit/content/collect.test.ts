/** Collections on a disk that forgets: what is kept stays readable, byte for byte, whatever comes between. */
import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { hashBlock, idHex, sameId } from '../../../library/content/blocks.ts'
import { Collection } from '../../../library/content/collect.ts'
import { heldKey } from '../../../library/content/held.ts'
import { TarIngest } from '../../../library/content/ingest.ts'
import { LiveSet } from '../../../library/content/live-set.ts'
import { manifestEntries } from '../../../library/content/manifest-reader.ts'
import type { BlockSource } from '../../../library/content/reader.ts'
import { decodeTail, RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { TAIL_KEY } from '../../../library/content/segment-modules.ts'
import { fileChunks } from '../../../library/content/tree-reader.ts'
import type { BlockId, CollectReport } from '../../../library/content/types.ts'
import { makeTar, pseudoRandom, type TarEntry } from './fakes.ts'
import { blocks, FOLDER, Machine } from './machine.ts'

const restless = { due: () => true, pause: () => new Promise<void>(setImmediate) }

/** A store with contents that are kept or not, as the worker has it. */
class Shelf extends Machine {
  collection: Collection | undefined

  readonly source: BlockSource = {
    has: id => this.store.locate(id) !== undefined,
    read: async id => {
      const bytes = this.bytesOf(id)
      if (bytes === undefined)
        throw new CatalogError('CONTENT_MISSING', 'not here', { details: { id: idHex(id) } })
      return bytes
    }
  }

  bytesOf(id: BlockId): Uint8Array | undefined {
    const location = this.store.locate(id)
    if (location === undefined) return undefined
    const start = location.offsetBytes + RECORD_HEAD_BYTES
    const file = this.disk.files.get(`${FOLDER}/${location.segment}`)
    const bytes = file?.bytes.subarray(start, start + location.lengthBytes)
    return bytes !== undefined && sameId(hashBlock(bytes), id) ? bytes : undefined
  }

  /** As the worker does it: a lease while it runs, the row before the lease ends. */
  async publish(entries: TarEntry[]): Promise<CID> {
    const release = this.store.barrier.lease()
    try {
      const ingest = new TarIngest({ segments: this.store, slice: restless }, { compression: 'none' })
      const tar = await makeTar(entries)
      for (let at = 0; at < tar.byteLength; at += 30_000) await ingest.write(tar.slice(at, at + 30_000))
      const { content } = await ingest.finish()
      await this.keep(content)
      return content
    } finally {
      release()
    }
  }

  async keep(content: CID): Promise<void> {
    await this.store.withoutLosses(async () => {
      const put = { type: 'put', key: heldKey(content.bytes), value: new Uint8Array(8) } as const
      await this.index.batch([put], { sync: true })
      this.collection?.rooted(content)
    })
  }

  async letGo(content: CID): Promise<void> {
    await this.index.batch([{ type: 'del', key: heldKey(content.bytes) }], { sync: true })
  }

  async collect(options: { dryRun?: boolean; leases?: CID[] } = {}): Promise<CollectReport> {
    const collection = new Collection(
      { ...this.modules, segments: this.store, source: this.source, slice: restless },
      { leases: options.leases ?? [], dryRun: options.dryRun ?? false }
    )
    this.collection = collection
    try {
      return await collection.run()
    } finally {
      this.collection = undefined
    }
  }

  /** Hash over everything the content holds; throws when a byte of it is not here. */
  async digest(content: CID): Promise<string> {
    const parts: Uint8Array[] = []
    for await (const entry of manifestEntries(this.source, content)) {
      parts.push(Buffer.from(entry.path))
      if (entry.kind !== 'file') continue
      for await (const { id } of fileChunks(this.source, entry.root, entry.sizeBytes))
        parts.push(await this.source.read(id))
    }
    return idHex(hashBlock(Buffer.concat(parts)))
  }

  get diskBytes(): number {
    let bytes = 0
    for (const file of this.disk.files.values()) bytes += file.bytes.byteLength
    return bytes
  }

  checkTail(): void {
    const tail = decodeTail(this.index.get(TAIL_KEY))
    expect(tail.totalBytes).toBe(this.diskBytes)
    expect(tail.blocks).toBe(this.index.keys().filter(key => key.startsWith('c/')).length)
  }
}

/** Contents that share files: number n has the files n, n + 1 and n + 2, and one larger than a chunk. */
const filesOf = (n: number): TarEntry[] => [
  ...[n, n + 1, n + 2].map(i => ({ name: `f${i}`, body: pseudoRandom(`file ${i}`, 9000 + i) })),
  { name: 'large', body: pseudoRandom(`large ${n % 3}`, 300_000) },
  { name: `z${n}`, body: `only in ${n}` }
]

describe('a collection', () => {
  test('takes what nothing needs, keeps what is shared, and gives the room back', async () => {
    const shelf = (await new Shelf().open()) as Shelf
    const contents: CID[] = []
    for (const n of [0, 1, 2]) contents.push(await shelf.publish(filesOf(n)))
    const digest = await shelf.digest(contents[1]!)
    await shelf.letGo(contents[0]!)
    await shelf.letGo(contents[2]!)
    const before = shelf.diskBytes
    const plan = await shelf.collect({ dryRun: true })
    expect(shelf.diskBytes).toBe(before)
    const report = await shelf.collect()
    const { blocks: count, bytes, segments, rewritten } = plan
    expect(report).toMatchObject({ blocks: count, bytes, segments, rewritten, gaps: 0 })
    expect(before - shelf.diskBytes).toBe(report.freedBytes)
    expect(report.freedBytes).toBeGreaterThan(600_000)
    expect(await shelf.digest(contents[1]!)).toBe(digest)
    shelf.checkTail()
    await shelf.letGo(contents[1]!)
    await shelf.collect()
    expect(shelf.diskBytes).toBe(0)
    expect(shelf.store.tail).toMatchObject({ blocks: 0, totalBytes: 0 })
    const again = await shelf.publish(filesOf(1))
    expect(await shelf.digest(again)).toBe(digest)
  })

  test('leaves alone what is read or fetched, whole or in part', async () => {
    const shelf = (await new Shelf().open()) as Shelf
    const content = await shelf.publish(filesOf(0))
    const digest = await shelf.digest(content)
    await shelf.letGo(content)
    expect(await shelf.collect({ leases: [content] })).toMatchObject({ blocks: 0, segments: 0 })
    expect(await shelf.digest(content)).toBe(digest)
    expect((await shelf.collect()).blocks).toBeGreaterThan(0)
    await expect(shelf.digest(content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
  })

  test('gives room back in a store that is far over a quota that was lowered', async () => {
    const shelf = (await new Shelf().open()) as Shelf
    const contents: CID[] = []
    for (const n of [0, 1, 2]) contents.push(await shelf.publish(filesOf(n)))
    const digest = await shelf.digest(contents[1]!)
    for (const n of [0, 2]) await shelf.letGo(contents[n]!)
    const quotaBytes = Math.round(shelf.diskBytes / 4)
    await shelf.open(quotaBytes)
    const plan = await shelf.collect({ dryRun: true })
    expect(plan.rewritten).toBeGreaterThan(0)
    const { freedBytes, segments } = plan
    expect(await shelf.collect()).toMatchObject({ freedBytes, segments })
    expect(await shelf.digest(contents[1]!)).toBe(digest)
    shelf.checkTail()
    // What is new is held to the quota as before.
    await expect(shelf.store_(...blocks(0, 40))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  })

  test('keeps a segment with a damaged block, and all that is good in it', async () => {
    const shelf = (await new Shelf().open()) as Shelf
    const going = await shelf.publish([{ name: 'a', body: pseudoRandom('going', 80_000) }])
    const kept = await shelf.publish([{ name: 'b', body: pseudoRandom('kept', 4000) }])
    const digest = await shelf.digest(kept)
    await shelf.store_({ ...(await blockOf('damaged')) })
    await shelf.letGo(going)
    const chunk = shelf.store.locate(hashBlock(pseudoRandom('kept', 4000)))!
    shelf.disk.files.get(`${FOLDER}/${chunk.segment}`)!.bytes[chunk.offsetBytes + RECORD_HEAD_BYTES]! ^= 1
    await shelf.collect()
    shelf.disk.files.get(`${FOLDER}/${chunk.segment}`)!.bytes[chunk.offsetBytes + RECORD_HEAD_BYTES]! ^= 1
    expect(await shelf.digest(kept)).toBe(digest)
  })

  test.each(['datasync', 'folder'] as const)('that is killed at its next %s loses nothing', async kind => {
    const shelf = (await new Shelf().open()) as Shelf
    const contents: CID[] = []
    for (const n of [0, 1, 2, 3, 4]) contents.push(await shelf.publish(filesOf(n)))
    const digest = await shelf.digest(contents[2]!)
    for (const n of [0, 1, 3, 4]) await shelf.letGo(contents[n]!)
    shelf.disk.killedAt = kind
    await expect(shelf.collect()).rejects.toMatchObject({ message: expect.stringContaining('EKILLED') })
    shelf.disk.killedAt = undefined
    shelf.disk.killed = false
    await shelf.crash(0)
    expect(await shelf.digest(contents[2]!)).toBe(digest)
    await shelf.collect()
    expect(await shelf.digest(contents[2]!)).toBe(digest)
    shelf.checkTail()
  })
})

async function blockOf(seed: string) {
  const bytes = pseudoRandom(seed, 500)
  return { id: hashBlock(bytes), codec: 0 as const, rawLengthBytes: 500, bytes }
}

type Step =
  | { kind: 'publish' | 'letGo' | 'pin' | 'unpin' | 'read'; n: number }
  | { kind: 'collect' }
  | { kind: 'settle' }
  | { kind: 'crash'; kept: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), n: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('letGo' as const), n: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('pin' as const, 'unpin'), n: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), n: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'collect' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'settle' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), kept: fc.constantFrom(0, 0.5, 1) })
  }
)

describe('any interleaving', () => {
  test('of publish, remove, pin, read, collect and crash keeps what is kept', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), interleave), {
      numRuns: 40
    })
  }, 120_000)
})

/** Steps overlap: each begins while the ones before may still run; a crash and `settle` wait for them. */
async function interleave(steps: Step[]): Promise<void> {
  const shelf = (await new Shelf().open()) as Shelf
  const kept = new Map<number, { content: CID; digest: string }>()
  const pinned = new Set<number>()
  const expected = new Map<number, string>()
  let running: Promise<unknown>[] = []
  let collecting: Promise<unknown> = Promise.resolve()
  const settle = async (): Promise<void> => {
    await Promise.all(running)
    running = []
  }
  const doing = new Map<number, Promise<unknown>>()
  const inTurn = (n: number, work: () => Promise<unknown>): void => {
    const run = (doing.get(n) ?? Promise.resolve()).then(work)
    doing.set(n, run)
    running.push(run)
  }
  const digestOf = async (n: number, content: CID): Promise<string> => {
    const digest = await shelf.digest(content)
    const before = expected.get(n) ?? digest
    expected.set(n, before)
    expect(digest).toBe(before)
    return digest
  }
  for (const step of steps) {
    if (step.kind === 'crash') {
      await settle()
      await shelf.crash(step.kept)
    } else if (step.kind === 'settle') await settle()
    else if (step.kind === 'collect') {
      collecting = collecting.then(() => shelf.collect())
      running.push(collecting)
    } else if (step.kind === 'publish')
      inTurn(step.n, async () => {
        const content = await shelf.publish(filesOf(step.n))
        kept.set(step.n, { content, digest: await digestOf(step.n, content) })
      })
    else if (step.kind === 'letGo')
      inTurn(step.n, async () => {
        const held = kept.get(step.n)
        if (held === undefined || pinned.has(step.n)) return
        kept.delete(step.n)
        await shelf.letGo(held.content)
      })
    else if (step.kind === 'read')
      inTurn(step.n, async () => {
        const held = kept.get(step.n)
        if (held !== undefined) await digestOf(step.n, held.content)
      })
    else if (step.kind === 'pin') inTurn(step.n, async () => kept.has(step.n) && pinned.add(step.n))
    else inTurn(step.n, async () => pinned.delete(step.n))
    await new Promise(setImmediate)
  }
  await settle()
  for (const [n, { content }] of kept) await digestOf(n, content)
  for (const { content } of kept.values()) await shelf.letGo(content)
  await shelf.collect()
  expect(shelf.diskBytes).toBe(0)
}

test('a set of ids never forgets one, and seldom invents one', () => {
  const live = new LiveSet()
  const ids = Array.from({ length: 20_000 }, (_, i) => hashBlock(Buffer.from(`in ${i}`)))
  for (const id of ids) live.add(id)
  expect(ids.every(id => live.has(id))).toBe(true)
  const invented = Array.from({ length: 20_000 }, (_, i) => hashBlock(Buffer.from(`out ${i}`))).filter(id =>
    live.has(id)
  )
  expect(invented.length).toBeLessThan(100)
})
