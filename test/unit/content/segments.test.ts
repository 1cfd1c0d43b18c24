import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { hashBlock } from '../../../library/content/blocks.ts'
import { decodeTail, RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { isRecovered } from '../../../library/content/recovery.ts'
import { DAMAGE_KEY, TAIL_KEY } from '../../../library/content/segment-modules.ts'
import { DISK_HEADROOM_BYTES, SegmentStore } from '../../../library/content/segments.ts'
import { STAGE_BYTES, WriteSession } from '../../../library/content/stage.ts'
import type { IncomingBlock } from '../../../library/content/types.ts'
import { FakeDisk, FakeIndex, makeBlock, type Sync } from './fakes.ts'

const FOLDER = '/home/segments'
const SEGMENT_BYTES = 100_000

/** A store on a fake disk and index that can crash and be opened again. */
class Machine {
  readonly disk = new FakeDisk()
  readonly index = new FakeIndex()
  store!: SegmentStore

  constructor() {
    this.disk.folders.set('/home', true)
  }

  get modules(): { disk: FakeDisk; index: FakeIndex; log: typeof silentLogger } {
    return { disk: this.disk, index: this.index, log: silentLogger }
  }

  async open(quotaBytes = 0): Promise<this> {
    this.store = await SegmentStore.open(this.modules, {
      folder: FOLDER,
      segmentBytes: SEGMENT_BYTES,
      quotaBytes
    })
    return this
  }

  /** `kept`: share of the unsynced LevelDB batches that survive. */
  async crash(kept: number): Promise<void> {
    this.disk.crash()
    this.index.crash(kept)
    await this.open()
  }

  /** `db/` is lost. */
  async loseIndex(): Promise<void> {
    await this.index.clear(new Uint8Array())
    expect(this.index.keys()).toEqual([])
  }

  /** Puts and flushes: acknowledged when it resolves. */
  async store_(...blocks: IncomingBlock[]): Promise<WriteSession> {
    const session = new WriteSession()
    for (const block of blocks) await this.store.put(block, session)
    await this.store.flush(session)
    return session
  }

  /** Whether the index names a place and the right bytes stand there. */
  holds(block: IncomingBlock): boolean {
    const location = this.store.locate(block.id)
    if (location === undefined) return false
    const { segment, offsetBytes, lengthBytes } = location
    const start = offsetBytes + RECORD_HEAD_BYTES
    const bytes = this.disk.files.get(`${FOLDER}/${segment}`)?.bytes.subarray(start, start + lengthBytes)
    return bytes !== undefined && Buffer.compare(hashBlock(bytes), block.id) === 0
  }
}

const blocks = (from: number, count: number, size = 20_000): IncomingBlock[] =>
  Array.from({ length: count }, (_, i) => makeBlock(from + i, size + i))

/**
 * Writes over several segments with a flush each, cuts the power, and counts what was acknowledged and is
 * gone.
 */
async function lostAfterPowerCut(ignored: Sync | undefined, kept: number): Promise<number> {
  const machine = new Machine()
  machine.disk.ignored = ignored
  await machine.open()
  const acknowledged: IncomingBlock[] = []
  for (let turn = 0; turn < 4; turn++) {
    const batch = blocks(turn * 10, 3)
    await machine.store_(...batch)
    acknowledged.push(...batch)
  }
  await machine.crash(kept)
  return acknowledged.filter(block => !machine.holds(block)).length
}

describe('durability', () => {
  test.each([0, 0.5, 1])(
    'what was acknowledged survives a power cut (%f of the unsynced index kept)',
    async kept => {
      expect(await lostAfterPowerCut(undefined, kept)).toBe(0)
    }
  )

  // Each line stands for one fsync in the code: a disk that ignores it must lose something, or it is not
  // needed.
  test.each<Sync>(['datasync', 'folder', 'parent'])('without the %s sync it would not', async ignored => {
    expect(await lostAfterPowerCut(ignored, 1)).toBeGreaterThan(0)
  })

  test('whatever is put, flushed and cut off, nothing acknowledged is lost and nothing indexed is wrong', async () => {
    const put = fc.record({ act: fc.constant('put' as const), seed: fc.nat(40) })
    const flush = fc.record({ act: fc.constant('flush' as const) })
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const crash = fc.record({ act: fc.constant('crash' as const), kept: share })
    const step = fc.oneof(
      { weight: 5, arbitrary: put },
      { weight: 2, arbitrary: flush },
      { weight: 1, arbitrary: crash }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const model = new Model(await new Machine().open())
        for (const next of steps) {
          if (next.act === 'put') await model.put(next.seed)
          else if (next.act === 'flush') await model.flush()
          else await model.crash(next.kept)
          model.check()
        }
      }),
      { numRuns: 60 }
    )
  })
})

/** What must be true of a machine: all that was acknowledged is there, all that is indexed is right. */
class Model {
  readonly #machine: Machine
  readonly #seen: IncomingBlock[] = []
  readonly #acknowledged: IncomingBlock[] = []
  #session = new WriteSession()
  #put: IncomingBlock[] = []

  constructor(machine: Machine) {
    this.#machine = machine
  }

  async put(seed: number): Promise<void> {
    const block = makeBlock(seed, 1000 + seed * 500)
    this.#put.push(block)
    this.#seen.push(block)
    await this.#machine.store.put(block, this.#session)
  }

  async flush(): Promise<void> {
    await this.#machine.store.flush(this.#session)
    this.#acknowledged.push(...this.#put.splice(0))
  }

  async crash(kept: number): Promise<void> {
    await this.#machine.crash(kept)
    this.#session = new WriteSession()
    this.#put = []
  }

  check(): void {
    const { store, index } = this.#machine
    const indexed = this.#seen.filter(block => store.locate(block.id) !== undefined)
    for (const block of [...this.#acknowledged, ...indexed]) expect(this.#machine.holds(block)).toBe(true)
    const blockKeys = index.keys().filter(key => key.startsWith('c/'))
    expect(decodeTail(index.get(TAIL_KEY)).blocks).toBe(blockKeys.length)
  }
}

/**
 * Kills the process at a sync, starts it again, stores the same blocks, cuts the power, and counts what is
 * gone.
 */
async function lostAfterKillAndPowerCut(killedAt: Sync, ignoredWhileRecovering?: Sync): Promise<number> {
  const machine = await new Machine().open()
  const batch = blocks(1, 3)
  machine.disk.killedAt = killedAt
  await expect(machine.store_(...batch)).rejects.toThrow('EKILLED')
  machine.disk.killed = false
  machine.disk.killedAt = undefined
  machine.disk.ignored = ignoredWhileRecovering
  await machine.open()
  machine.disk.ignored = undefined
  await machine.store_(...batch)
  await machine.crash(1)
  return batch.filter(block => !machine.holds(block)).length
}

describe('a kill, then a power cut', () => {
  test.each<Sync>(['datasync', 'folder'])(
    'killed at the %s sync: blocks found by recovery are on disk',
    async at => {
      expect(await lostAfterKillAndPowerCut(at)).toBe(0)
    }
  )

  test.each<Sync>(['datasync'])('without the %s sync of recovery they would not be', async ignored => {
    expect(await lostAfterKillAndPowerCut('datasync', ignored)).toBeGreaterThan(0)
  })
})

describe('group commit and dedup', () => {
  test('many who flush at once share one sync', async () => {
    const machine = await new Machine().open()
    await machine.store_(makeBlock(0, 100))
    const before = machine.disk.syncs
    await Promise.all(blocks(1, 10, 100).map(block => machine.store_(block)))
    expect(machine.disk.syncs - before).toBeLessThanOrEqual(2)
  })

  test('the same block from two jobs is stored once, and both wait for it', async () => {
    const machine = await new Machine().open()
    const [one, two] = [new WriteSession(), new WriteSession()]
    const block = makeBlock(1, 5000)
    machine.store.put(block, one)
    machine.store.put(block, two)
    await machine.store.flush(two)
    expect(machine.holds(block)).toBe(true)
    await machine.store.flush(one)
    expect([one.newBytes, two.newBytes]).toEqual([5000, 0])
    expect(machine.store.tail).toMatchObject({ blocks: 1, totalBytes: 5000 + RECORD_HEAD_BYTES })
    expect((await machine.store_(block)).newBytes).toBe(0)
  })

  test('a full stage is written while the next fills', async () => {
    const machine = await new Machine().open()
    const many = blocks(0, Math.ceil((2.2 * STAGE_BYTES) / 250_000), 250_000)
    await machine.store_(...many)
    expect(many.every(block => machine.holds(block))).toBe(true)
  })
})

describe('a disk that fails', () => {
  test('short writes are continued', async () => {
    const machine = await new Machine().open()
    machine.disk.maxWriteBytes = 7001
    const all = blocks(0, 3)
    await machine.store_(...all)
    expect(all.every(block => machine.holds(block))).toBe(true)
  })

  test.each(['in the middle of a write', 'at the head-room'])(
    'full %s: DISK_FULL, rolled back, usable after',
    async where => {
      const machine = await new Machine().open()
      await machine.store_(makeBlock(0, 1000))
      const { tail } = machine.store
      if (where === 'at the head-room') machine.disk.free = DISK_HEADROOM_BYTES
      else machine.disk.roomBytes = 30_000
      const refused = blocks(1, 3)
      await expect(machine.store_(...refused)).rejects.toMatchObject({ code: 'DISK_FULL' })
      expect(machine.store.tail).toEqual(tail)
      expect(refused.some(block => machine.store.locate(block.id) !== undefined)).toBe(false)
      expect(machine.disk.files.get(`${FOLDER}/0`)!.bytes.byteLength).toBe(tail.offsetBytes)

      machine.disk.free = Number.MAX_SAFE_INTEGER
      machine.disk.roomBytes = Number.POSITIVE_INFINITY
      await machine.store_(...refused)
      expect(refused.every(block => machine.holds(block))).toBe(true)
    }
  )

  test('over the quota: QUOTA_EXCEEDED, rolled back, and what fits is still taken', async () => {
    const machine = await new Machine().open(50_000)
    await machine.store_(makeBlock(0, 20_000))
    const { tail } = machine.store
    await expect(machine.store_(makeBlock(1, 40_000))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      details: { quotaBytes: 50_000, bytes: tail.totalBytes }
    })
    expect(machine.store.tail).toEqual(tail)
    await machine.store_(makeBlock(0, 20_000), makeBlock(2, 20_000))
    expect(machine.holds(makeBlock(2, 20_000))).toBe(true)
  })

  test('a failed stage fails all who have blocks in it, and nobody else', async () => {
    const machine = await new Machine().open()
    const [one, two, three] = [new WriteSession(), new WriteSession(), new WriteSession()]
    const block = makeBlock(1, 5000)
    machine.store.put(block, one)
    machine.store.put(block, two)
    machine.disk.roomBytes = 0
    const first = machine.store.flush(one)
    const second = machine.store.flush(two)
    await expect(first).rejects.toMatchObject({ code: 'DISK_FULL' })
    await expect(second).rejects.toMatchObject({ code: 'DISK_FULL' })
    await machine.store.flush(three)
    await machine.store.flush(one)
  })

  test('a failure nobody waited for is told by the next flush', async () => {
    const machine = await new Machine().open()
    const session = new WriteSession()
    machine.disk.roomBytes = 1000
    for (const block of blocks(0, 40, 250_000)) await machine.store.put(block, session)
    machine.disk.roomBytes = Number.POSITIVE_INFINITY
    await expect(machine.store.flush(session)).rejects.toMatchObject({ code: 'DISK_FULL' })
  })

  test('an index that refuses the batch rolls the segment back', async () => {
    const machine = await new Machine().open()
    machine.index.failNext = Object.assign(new Error('EIO'), { code: 'EIO' })
    await expect(machine.store_(makeBlock(1, 1000))).rejects.toMatchObject({ code: 'DISK_IO' })
    expect(machine.disk.files.get(`${FOLDER}/0`)!.bytes.byteLength).toBe(0)
    await machine.store_(makeBlock(1, 1000))
    expect(machine.holds(makeBlock(1, 1000))).toBe(true)
  })
})

describe('recovery', () => {
  test('whole blocks after the tail are indexed, a torn one is cut off', async () => {
    const machine = await new Machine().open()
    const kept = makeBlock(1, 3000)
    const torn = makeBlock(2, 4000)
    await machine.store_(kept)
    await machine.store_(torn)
    machine.index.crash(0)
    const inode = machine.disk.files.get(`${FOLDER}/0`)!
    inode.bytes = inode.bytes.subarray(0, inode.bytes.byteLength - 10)
    await machine.open()
    expect(machine.holds(kept)).toBe(true)
    expect(machine.store.locate(torn.id)).toBeUndefined()
    expect(inode.bytes.byteLength).toBe(3000 + RECORD_HEAD_BYTES)
    expect(await isRecovered(machine.disk, FOLDER, machine.store.tail)).toBe(true)
    await machine.store_(torn)
    expect(machine.holds(torn)).toBe(true)
  })

  test('a damaged block in an older segment costs that block only', async () => {
    const machine = await new Machine().open()
    const all = blocks(0, 8)
    for (const block of all) await machine.store_(block)
    machine.disk.files.get(`${FOLDER}/0`)!.bytes[RECORD_HEAD_BYTES + 5]! ^= 1
    machine.index.crash(0)
    await machine.open()
    expect(all.map(block => machine.holds(block))).toEqual(all.map((_, i) => i !== 0))
  })

  test('without a tail the index is made anew from the segments, and is the same', async () => {
    const machine = await new Machine().open()
    const all = blocks(0, 8)
    for (const block of all) await machine.store_(block)
    const [before, { tail }] = [machine.index.keys(), machine.store]
    await machine.store.close()
    await machine.loseIndex()
    await machine.open()
    expect(machine.store.tail).toEqual(tail)
    expect(machine.index.keys()).toEqual(before)
    expect(all.every(block => machine.holds(block))).toBe(true)
  })

  test.each([
    ['the magic', 0],
    ['the length', 6],
    ['the id', 20],
    ['the bytes', RECORD_HEAD_BYTES + 5]
  ])('damage to %s of a block costs that block only when the index is made anew', async (_, at) => {
    const machine = await new Machine().open()
    const all = blocks(0, 3)
    await machine.store_(...all)
    const inode = machine.disk.files.get(`${FOLDER}/0`)!
    const { tail } = machine.store
    inode.bytes[at]! ^= 1
    await machine.loseIndex()
    await machine.open()
    expect(all.map(block => machine.holds(block))).toEqual([false, true, true])
    expect(machine.index.get(DAMAGE_KEY)).toBeDefined()
    expect(machine.store.tail).toEqual({ ...tail, blocks: 2 })
    expect(await isRecovered(machine.disk, FOLDER, machine.store.tail)).toBe(true)
  })

  test('a torn record between whole ones after the tail costs that block only', async () => {
    const machine = await new Machine().open()
    await machine.store_(makeBlock(9, 500))
    const kept = decodeTail(machine.index.get(TAIL_KEY))
    const all = blocks(0, 3)
    await machine.store_(...all)
    const inode = machine.disk.files.get(`${FOLDER}/0`)!
    inode.bytes.fill(0, kept.offsetBytes + 10, kept.offsetBytes + 4096)
    machine.index.crash(0.5)
    expect(decodeTail(machine.index.get(TAIL_KEY))).toEqual(kept)
    await machine.open()
    expect(all.map(block => machine.holds(block))).toEqual([false, true, true])
  })

  test.each([
    ['gone', undefined],
    ['cut short', 20_000 + RECORD_HEAD_BYTES + 100]
  ])('a tail segment that is %s costs its blocks, and the store goes on', async (_, leftBytes) => {
    const machine = await new Machine().open()
    const all = blocks(0, 6)
    for (const block of all) await machine.store_(block)
    await machine.store.close()
    const { segment } = machine.store.tail
    const inode = machine.disk.files.get(`${FOLDER}/${segment}`)!
    if (leftBytes === undefined) machine.disk.files.delete(`${FOLDER}/${segment}`)
    else inode.bytes = inode.bytes.subarray(0, leftBytes)
    await machine.open()
    const located = all.filter(block => machine.store.locate(block.id) !== undefined)
    expect(located.every(block => machine.holds(block))).toBe(true)
    expect(located.length).toBe(leftBytes === undefined ? 4 : 5)
    expect(machine.store.tail.blocks).toBe(located.length)
    expect(machine.index.get(DAMAGE_KEY)).toBeDefined()
    expect(await isRecovered(machine.disk, FOLDER, machine.store.tail)).toBe(true)
    for (const block of all) await machine.store_(block)
    expect(all.every(block => machine.holds(block))).toBe(true)
    await machine.store.close()
    await machine.open()
    expect(all.every(block => machine.holds(block))).toBe(true)
  })

  test('a corrupt block that was given up can be put anew', async () => {
    const machine = await new Machine().open()
    const block = makeBlock(1, 3000)
    await machine.store_(block)
    const place = machine.store.locate(block.id)!
    machine.disk.files.get(`${FOLDER}/0`)!.bytes[RECORD_HEAD_BYTES]! ^= 1
    await machine.store.forget(block.id, place)
    expect(machine.store.locate(block.id)).toBeUndefined()
    await machine.store_(block)
    expect(machine.holds(block)).toBe(true)
    // A late report of the old place does not touch the new copy.
    await machine.store.forget(block.id, place)
    expect(machine.holds(block)).toBe(true)
    expect(machine.store.tail.blocks).toBe(1)
  })
})
