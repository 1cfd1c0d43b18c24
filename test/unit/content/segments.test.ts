import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { DISK_HEADROOM_BYTES } from '../../../library/content/local-segments.ts'
import { decodeTail, RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { TAIL_KEY } from '../../../library/content/segment-modules.ts'
import { STAGE_BYTES, WriteSession } from '../../../library/content/stage.ts'
import type { IncomingBlock } from '../../../library/content/types.ts'
import { makeBlock, type Sync } from './fakes.ts'
import { blocks, FOLDER, Machine } from './machine.ts'

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
    await vi.waitUntil(() => session.failure !== undefined)
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
