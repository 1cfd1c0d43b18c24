import { describe, expect, it } from 'vitest'
import { CatalogError, MIB, systemClock } from '../../../base/index.ts'
import { createReleaseRecord, recordHash, trieKey } from '../../../library/index.ts'
import { type BundleCopying, importBundle } from '../../../node/services/bundle-import.ts'
import { type BundlePart, libraryIdOf, proveRecord, signHead, writeBundle } from '../../../sync/index.ts'
import { keyOf, NOW_MS, small } from '../records/examples.ts'
import { MemoryTree } from '../sync/tries.ts'
import { nothingBlocked } from './nothing-blocked.ts'

const clock = { ...systemClock, now: () => NOW_MS }
const writer = keyOf('writer')
const record = createReleaseRecord(
  small({ sizeBytes: 1000, files: 1, publishedAt: clock.now(), sequence: clock.now() }),
  keyOf('ada')
)
const tree = new MemoryTree()
tree.apply([{ trieKey: trieKey(record), recHash: recordHash(record.bytes) }])
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
const RECORD: BundlePart = {
  kind: 'record',
  record: record.bytes,
  proof: proveRecord(tree, trieKey(record))
}
const CONTENT: BundlePart = { kind: 'content', content: record.release.content.bytes }
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
  addFails?: CatalogError
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
      blocking: nothingBlocked,
      sets: { take: async () => 'newer' },
      registry: {
        add: async () => {
          if (node.addFails !== undefined) throw node.addFails
          return { added: true, record }
        },
        addStatement: async () => ({ added: true }) as never
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
    new AbortController().signal
  )
}

const fresh = (more: Partial<Node> = {}): Node => ({ written: 0, completed: 0, ended: 0, held: 0, ...more })

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
    expect(node).toEqual({ written: 1, completed: 1, ended: 1, held: 0 })
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
    const node = fresh({ addFails: new CatalogError('LIMIT_EXCEEDED', 'nine contents of one version') })
    const result = await take(node, [HEAD, RECORD, CONTENT, block(1000), WHOLE])
    expect(result).toMatchObject({ records: 1, newRecords: 0, refusedRecords: 1, contents: 0 })
    expect(node).toMatchObject({ written: 0, completed: 0, held: 0 })
  })

  it.each<[string, BundlePart[]]>([
    ['a content that no record names', [HEAD, RECORD, { kind: 'content', content: Uint8Array.of(1) }, WHOLE]],
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
