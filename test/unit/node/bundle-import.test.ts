import { describe, expect, it } from 'vitest'
import { CatalogError, DAY_MS, MIB, systemClock } from '../../../base/index.ts'
import {
  ADD_ALL_LIMITS,
  type AddOutcome,
  createReleaseRecord,
  type NewRelease,
  type ReleaseRecord,
  recordHash,
  trieKey
} from '../../../library/index.ts'
import { type BundleCopying, importBundle } from '../../../node/services/bundle-import.ts'
import { type BundlePart, libraryIdOf, proveRecord, signHead, writeBundle } from '../../../sync/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { MemoryTree } from '../sync/tries.ts'

const clock = { ...systemClock, now: () => NOW_MS }
const writer = keyOf('writer')
const release = (over: Partial<NewRelease> = {}): ReleaseRecord =>
  createReleaseRecord(
    small({ sizeBytes: 1000, files: 1, publishedAt: clock.now(), sequence: clock.now(), ...over }),
    keyOf('ada')
  )
const record = release()
/** More than one batch, and less than three. */
const MANY = 2 * ADD_ALL_LIMITS.records + 88
const many = Array.from({ length: MANY }, (_, at) => release({ version: `2.${at}.0` }))
/** 30 kB each: less than a batch by their number. */
const large = Array.from({ length: 50 }, (_, at) =>
  release({ version: `3.${at}.0`, extensions: { 'org.example': Buffer.alloc(30_000) } })
)
const early = release({ version: '4.0.0', publishedAt: clock.now() + DAY_MS })
const tree = new MemoryTree()
tree.apply(
  [record, ...many, ...large, early].map(one => ({ trieKey: trieKey(one), recHash: recordHash(one.bytes) }))
)
const head = signHead(
  {
    library: libraryIdOf(writer.publicKey, 'home'),
    epoch: 1,
    revision: 1,
    time: clock.now(),
    expires: clock.now() + 1000,
    root: Buffer.from(tree.root, 'hex')
  },
  writer
)
const HEAD: BundlePart = { kind: 'head', head: head.bytes }
const partOf = (one: ReleaseRecord): BundlePart => ({
  kind: 'record',
  record: one.bytes,
  proof: proveRecord(tree, trieKey(one))
})
const RECORD = partOf(record)
const CONTENT: BundlePart = { kind: 'content', content: record.release.content.bytes }
const OTHER = contentOf('that no record names')
const WHOLE: BundlePart = { kind: 'whole' }

function block(rawLengthBytes: number): BundlePart {
  return { kind: 'block', id: new Uint8Array(32), codec: 0, rawLengthBytes, bytes: Uint8Array.of(1) }
}

const NO_COPY: BundleCopying = {
  take: async () => undefined,
  end: async () => 'part',
  close: async () => undefined
}

interface Node {
  copying?: BundleCopying
  isBlocked?: (release: Pick<ReleaseRecord, 'release'>) => boolean
  outcome?: AddOutcome
  /** What adding records, all of them of a batch or those before one, throws. */
  addFails?: (records: readonly unknown[]) => void
  signal?: AbortSignal
  /** Records of each batch. */
  batches: number[]
  written: number
  completed: number
  ended: number
  held: number
}

async function take(node: Node, parts: BundlePart[]) {
  const source = (async function* () {
    yield* parts
  })()
  return await importBundle(
    {
      blocking: { isBlocked: one => node.isBlocked?.(one as ReleaseRecord) ?? false },
      sets: { take: async () => 'newer' },
      registry: {
        addAll: async records => {
          node.addFails?.(records)
          node.batches.push(records.length)
          return records.map(() => node.outcome ?? 'added')
        }
      },
      content: {
        localState: () => 'none',
        hold: () => {
          node.held++
          return () => node.held--
        },
        beginReceive: () => ({
          writeBlocks: async blocks => {
            node.written += blocks.length
          },
          flush: async () => undefined,
          markComplete: async () => {
            node.completed++
          },
          end: async () => {
            node.ended++
          }
        })
      },
      collecting: { makeRoom: async () => ({ filled: () => undefined, end: () => undefined }) } as never,
      copying: () => node.copying ?? NO_COPY,
      events: { emit: () => undefined } as never,
      clock
    },
    writeBundle(source),
    node.signal ?? new AbortController().signal
  )
}

const fresh = (more: Partial<Node> = {}): Node => ({
  batches: [],
  written: 0,
  completed: 0,
  ended: 0,
  held: 0,
  ...more
})

describe('a bundle', () => {
  it('brings a content, and lets go of what it held', async () => {
    const node = fresh()
    const result = await take(node, [HEAD, RECORD, CONTENT, block(1000), WHOLE])
    expect(result).toMatchObject({
      records: 1,
      newRecords: 1,
      refusedRecords: 0,
      contents: 1,
      newContents: 1
    })
    expect(node).toEqual({ batches: [1], written: 1, completed: 1, ended: 1, held: 0 })
  })

  it('brings no more blocks for a content than its record allows', async () => {
    const node = fresh()
    const blocks = Array.from({ length: (65 * MIB) / 65_536 }, () => block(65_536))
    await expect(take(node, [HEAD, RECORD, CONTENT, ...blocks, WHOLE])).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('hello@1.0.0')
    })
    expect(node).toMatchObject({ completed: 0, ended: 1, held: 0 })
  })

  it('is gone on with behind a record of which there are too many', async () => {
    const node = fresh({ outcome: 'refused' })
    const result = await take(node, [HEAD, RECORD, CONTENT, block(1000), WHOLE])
    expect(result).toMatchObject({ records: 1, newRecords: 0, refusedRecords: 1, contents: 0 })
    expect(node).toMatchObject({ written: 0, completed: 0, held: 0 })
  })

  it.each<[string, BundlePart[]]>([
    ['a content whose name is no CID', [HEAD, RECORD, { kind: 'content', content: Uint8Array.of(1) }, WHOLE]],
    ['a content that no record names', [HEAD, RECORD, { kind: 'content', content: OTHER.bytes }, WHOLE]],
    ['a content twice', [HEAD, RECORD, CONTENT, WHOLE, CONTENT, WHOLE]],
    ['a block that is too large', [HEAD, RECORD, CONTENT, block(10 * MIB), WHOLE]]
  ])('with %s is refused', async (_what, parts) => {
    const node = fresh()
    await expect(take(node, parts)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' })
    expect(node.held).toBe(0)
  })

  it('with a block in a codec of a later version says so', async () => {
    const later: BundlePart = { ...block(10), codec: 9 } as BundlePart
    await expect(take(fresh(), [HEAD, RECORD, CONTENT, later, WHOLE])).rejects.toMatchObject({
      code: 'UNSUPPORTED'
    })
  })
})

describe('many records', () => {
  const parts = [HEAD, ...many.map(partOf)]

  it('are kept batch by batch, and the last ones at the end', async () => {
    const node = fresh()
    const copied: number[] = []
    node.copying = { ...NO_COPY, take: async records => void copied.push(records.length) }
    expect(await take(node, parts)).toMatchObject({ records: MANY, newRecords: MANY, refusedRecords: 0 })
    expect(node.batches).toEqual([ADD_ALL_LIMITS.records, ADD_ALL_LIMITS.records, 88])
    expect(copied).toEqual(node.batches)
  })

  it('of many bytes are kept sooner', async () => {
    const node = fresh()
    await take(node, [HEAD, ...large.map(partOf)])
    expect(node.batches).toEqual([35, 15])
  })

  it('are kept before what is wrong in the file, and that is said', async () => {
    const node = fresh()
    const wrong: BundlePart = { ...partOf(record), proof: proveRecord(tree, trieKey(early)) } as BundlePart
    await expect(take(node, [...parts, wrong])).rejects.toMatchObject({ code: 'PROOF_INVALID' })
    expect(node.batches.at(-1)).toBe(88)
  })

  it('are kept before a content, whose records are known then', async () => {
    const node = fresh()
    const result = await take(node, [...parts, RECORD, CONTENT, block(1000), WHOLE])
    expect(result).toMatchObject({ records: MANY + 1, newContents: 1 })
  })

  it('of which one cannot be kept end with what that one fails of, whatever is wrong behind it', async () => {
    const node = fresh({
      addFails: () => {
        throw new CatalogError('RECORD_EARLY', 'it is of tomorrow')
      }
    })
    const wrong: BundlePart = { kind: 'content', content: Uint8Array.of(1) }
    await expect(take(node, [HEAD, partOf(early), wrong, WHOLE])).rejects.toMatchObject({
      code: 'RECORD_EARLY'
    })
    expect(node.batches).toEqual([])
  })

  it('that are blocked are counted, and not kept', async () => {
    const node = fresh({ isBlocked: ({ release: { version } }) => /^2\.1\d\.0$/.test(version) })
    expect(await take(node, parts)).toMatchObject({
      records: MANY,
      newRecords: MANY - 10,
      refusedRecords: 10
    })
    expect(node.batches[0]).toBe(ADD_ALL_LIMITS.records - 10)
  })

  it('are not kept once nobody waits for them', async () => {
    const stop = new AbortController()
    const node = fresh({ signal: stop.signal, addFails: () => stop.abort(new Error('stopped')) })
    await expect(take(node, parts)).rejects.toThrow('stopped')
    expect(node.batches, 'the batch that was under way, and no other').toEqual([ADD_ALL_LIMITS.records])
  })
})
