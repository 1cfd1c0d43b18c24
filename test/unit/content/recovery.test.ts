import { describe, expect, test } from 'vitest'
import { decodeTail, RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { isRecovered } from '../../../library/content/recovery.ts'
import { DAMAGE_KEY, TAIL_KEY } from '../../../library/content/segment-modules.ts'
import { makeBlock } from './fakes.ts'
import { blocks, FOLDER, Machine } from './machine.ts'

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
