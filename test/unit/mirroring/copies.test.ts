import { beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { createReleaseRecord, mirrorCopyKey } from '../../../library/index.ts'
import { Copies } from '../../../node/services/mirroring/copies.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { openMemory, type TestDatabase } from '../registry/databases.ts'

const record = createReleaseRecord(small({ name: 'lib', content: contentOf('lib') }), keyOf('ada'))
const key = record.release.content.toString()
const clock = new ManualClock(1_000)
let database: TestDatabase
const open = (): Promise<Copies> => Copies.open({ database, clock, logger: silentLogger })

beforeEach(async () => {
  database = await openMemory()
})

test('what was taken is known after a restart, and since when and why', async () => {
  const copies = await open()
  await copies.take(record, { cause: 'rank', wasHere: true })
  await copies.take(record, { cause: 'repair', wasHere: false })
  const taken = { cause: 'rank', at: 1_000, wasHere: true }
  for (const known of [copies, await open()])
    expect(known.of(key)).toMatchObject({ name: 'lib', isPinned: false, taken })
})

test('a pin stays when the copy is taken, and a copy when the pin goes', async () => {
  const copies = await open()
  await copies.pin(record)
  expect((await open()).of(key)).toMatchObject({ isPinned: true })
  expect([...copies.taken()]).toEqual([])
  await copies.take(record, { cause: 'pinned', wasHere: false })
  await copies.unpin(record)
  expect((await open()).of(key)).toMatchObject({ isPinned: false, taken: { cause: 'pinned' } })
  await copies.letGo(record.release.content)
  expect((await open()).of(key)).toBeUndefined()
})

test('a pin stays when the copy is taken at the same moment', async () => {
  for (const isPinFirst of [true, false]) {
    const copies = await open()
    const pin = () => copies.pin(record)
    const take = () => copies.take(record, { cause: 'rank', wasHere: false })
    await Promise.all((isPinFirst ? [pin, take] : [take, pin]).map(change => change()))
    for (const known of [copies, await open()])
      expect(known.of(key)).toMatchObject({ isPinned: true, taken: { cause: 'rank' } })
    await copies.letGo(record.release.content)
  }
})

test('what is let go of while it is being taken is not taken, here and on the disk', async () => {
  const copies = await open()
  await Promise.all([
    copies.take(record, { cause: 'rank', wasHere: false }),
    copies.letGo(record.release.content)
  ])
  expect(copies.of(key)).toBeUndefined()
  expect((await open()).of(key)).toBeUndefined()
})

test('a pin that was never taken leaves nothing behind', async () => {
  const copies = await open()
  await copies.pin(record)
  await copies.unpin(record)
  expect(database.get(mirrorCopyKey(record.release.content.bytes))).toBeUndefined()
})

test('when mirroring is off only pins are left', async () => {
  const copies = await open()
  const other = createReleaseRecord(small({ name: 'other', content: contentOf('other') }), keyOf('ada'))
  await copies.take(record, { cause: 'rank', wasHere: false })
  await copies.pin(other)
  await copies.take(other, { cause: 'pinned', wasHere: false })
  expect(await copies.letGoOfAll()).toBe(1)
  expect([...(await open()).all()].map(({ name }) => name)).toEqual(['other'])
})

test('what is only on its way is not held', async () => {
  const copies = await open()
  await copies.take(record, { cause: 'rank', wasHere: false })
  const heldWhere = (state: 'none' | 'complete') => [...copies.held({ localState: () => state })]
  expect(heldWhere('complete')).toHaveLength(1)
  expect(heldWhere('none')).toEqual([])
})

test('a thousand are let go of with one write', async () => {
  const copies = await open()
  for (let at = 0; at < 1001; at++) {
    const one = small({ name: 'lib', content: contentOf(`content ${at}`) })
    await copies.take(createReleaseRecord(one, keyOf('ada')), { cause: 'rank', wasHere: false })
  }
  const before = database.commits.length
  expect(await copies.letGoOfAll()).toBe(1001)
  expect(database.commits.length - before).toBe(2)
  expect([...(await open()).all()]).toEqual([])
})

test.each([
  ['no JSON', 'x'],
  ['another form', '{"record":1}'],
  [
    'a cause that there is not',
    '{"record":"r","name":"n","version":"1","taken":{"cause":"x","at":1,"wasHere":true}}'
  ],
  ['too long', `"${'x'.repeat(2000)}"`]
])('a row that is %s does no harm', async (_, text) => {
  const put = {
    type: 'put',
    key: mirrorCopyKey(record.release.content.bytes),
    value: Buffer.from(text)
  } as const
  await database.write([put], { sync: true })
  expect((await open()).of(key)?.taken).toBeUndefined()
})
