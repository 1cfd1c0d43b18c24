/** What sessions that follow a library may not do, and how much a library may bring. */
import { afterEach, describe, expect, test } from 'vitest'
import { createReleaseRecord, KeyFamily, makeKey, type ReleaseRecord } from '../../../library/index.ts'
import { syncHelloMessage } from '../../../protocols/sync/frames.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { follow, type HomeOptions, numbered, range, SyncHome } from './homes.ts'
import { HELLO } from './hostile.ts'

const homes: SyncHome[] = []
afterEach(async () => {
  await Promise.all(homes.splice(0).map(home => home.close()))
})

async function open(name: string, options?: HomeOptions): Promise<SyncHome> {
  const home = await SyncHome.open(name, options)
  homes.push(home)
  return home
}

async function rowsOf(home: SyncHome, family: string): Promise<number> {
  let rows = 0
  for await (const _ of home.reader.iterate({ prefix: makeKey(family) })) rows++
  return rows
}

const ada = keyOf('ada')

/** Releases with as much to say as they may. */
const large = (count: number): ReleaseRecord[] =>
  Array.from({ length: count }, (_, number) =>
    createReleaseRecord(
      small({
        name: `large-${number}`,
        content: contentOf(`large ${number}`),
        description: 'x'.repeat(1000)
      }),
      ada
    )
  )

const bytesOf = (records: readonly ReleaseRecord[]): number =>
  records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)

describe('what a session may not do', () => {
  test('two at once for one library, and one for the own', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 3))
    const both = await Promise.allSettled([follow(reader, writer), follow(reader, writer)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'BUSY' } })
    await expect(follow(reader, reader)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('change a library that is being let go of, whichever others are', async () => {
    const [first, second, third] = [await open('first'), await open('second'), await open('third')]
    const reader = await open('reader')
    await second.publish(...range(0, 100))
    for (const writer of [first, second, third]) await follow(reader, writer)
    const forgets = [reader.sets.forget(first.library), reader.sets.forget(second.library)]
    await forgets[0]
    forgets.push(reader.sets.forget(third.library))
    await expect(follow(reader, second)).rejects.toMatchObject({ code: 'BUSY' })
    expect(await Promise.all(forgets)).toEqual([true, true, true])
  })

  test('bring more records than a library may have', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 60))
    await expect(follow(reader, writer, { maxRecords: 59 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(await rowsOf(reader, KeyFamily.Membership)).toBe(0)
  })

  test('bring a few records that have more bytes than a library may have', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', { limits: { batchChanges: 4 } })]
    await writer.publish(...large(10))
    const limit = { maxBytes: bytesOf(large(10)) - 1 }
    const tooMuch = { code: 'LIMIT_EXCEEDED', hint: 'raise sync.maxBytes to follow it' }
    await expect(follow(reader, writer, limit)).rejects.toMatchObject(tooMuch)
    expect(await rowsOf(reader, KeyFamily.Membership)).toBe(0)
    // What came of a session that was cut off counts in the next one.
    await expect(follow(reader, writer, { cutAfterFrames: 3 })).rejects.toThrow('the connection was lost')
    expect(await rowsOf(reader, KeyFamily.Membership)).toBe(10)
    await expect(follow(reader, writer, limit)).rejects.toMatchObject(tooMuch)
    expect(
      (await reader.followed()).map(({ records }) => records),
      'nothing of it counts'
    ).toEqual([0])
    expect(await follow(reader, writer, { maxBytes: limit.maxBytes + 1 })).toMatchObject({
      received: 0,
      records: 10
    })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })

  test('bring too many bytes in a dry run, or to a copy that had none too many', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...large(4))
    const limit = { maxBytes: bytesOf(large(4)) }
    expect(await follow(reader, writer, { ...limit, isDryRun: true })).toMatchObject({ received: 4 })
    await follow(reader, writer, limit)
    const [gone, ...kept] = (await writer.registry.list({ limit: 10 })).releases
    await writer.registry.remove(gone!.id)
    await writer.publish(numbered(0))
    expect(await follow(reader, writer, limit)).toMatchObject({ removed: 1, records: kept.length + 1 })
    await writer.publish(gone!)
    for (const isDryRun of [true, false])
      await expect(follow(reader, writer, { ...limit, isDryRun })).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED'
      })
  })

  test('compare the tries of a large library again and again', async () => {
    const limits = { freeComparison: 10 }
    const [writer, reader] = [await open('writer', { limits }), await open('reader')]
    await writer.publish(...range(0, 60))
    await expect(follow(reader, writer, { compareInMs: 5000 })).rejects.toMatchObject({
      code: 'BUSY',
      details: { retryAfterMs: 5000 }
    })
    await follow(reader, writer)
    await writer.publish(numbered(60))
    expect(await follow(reader, writer, { compareInMs: 5000 }), 'a sketch costs little').toMatchObject({
      received: 1
    })
  })

  test('have sketches made again and again, and what needs none is shown all the same', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 60))
    expect(await follow(reader, writer, { sketchInMs: 5000 }), 'of an empty set').toMatchObject({
      received: 60
    })
    expect(await follow(reader, writer, { sketchInMs: 5000 })).toMatchObject({ state: 'equal' })
    await writer.publish(numbered(60))
    await expect(follow(reader, writer, { sketchInMs: 5000 })).rejects.toMatchObject({
      code: 'BUSY',
      details: { retryAfterMs: 5000 }
    })
    const told = await follow(reader, writer, { sketchInMs: 5000, strategy: 'incremental' })
    expect(told, 'out of the log').toMatchObject({ received: 1 })
  })

  test('are shown how many records were gone through for sketches, each sketch once', async () => {
    const writer = await open('writer')
    await writer.publish(...range(0, 60))
    const [local, remote] = [writer.key.publicKey, keyOf('somebody').publicKey]
    const peers = { local, remote, node: remote, compareInMs: 0, sketchInMs: 0 }
    const said = await writer.sets.session({ role: 'source', ...peers }, async port => {
      const cells = { cells: new Uint8Array(48 * 16).fill(7), counts: new Uint8Array(176) }
      const body = syncHelloMessage.encode({ ...HELLO, library: writer.library, records: 60, ...cells })
      await port.take({ kind: 'hello', body: Uint8Array.from(body), sizeBytes: body.byteLength })
      return await port.say()
    })
    expect(said.sketchedRecords).toBe(60)
  })
})
