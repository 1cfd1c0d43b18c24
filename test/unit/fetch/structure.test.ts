import { encode } from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashBlock, nodeCid, rawCid } from '../../../library/content/blocks.ts'
import { MIN_CHUNK_BYTES } from '../../../library/content/chunker.ts'
import { encodeEntry } from '../../../library/content/manifest.ts'
import { encodeNode } from '../../../library/content/tree.ts'
import { BlockCodec, type ChunkRef, type ContentStore, type ManifestEntry } from '../../../library/index.ts'
import { ReleaseWalk } from '../../../protocols/content/walk.ts'
import { introduce } from '../protocols/nodes.ts'
import { override, type Peer, publishContent, startPeer } from './peers.ts'

/** A CBOR array of encoded entries, whatever their order. */
const pageOf = (...entries: ManifestEntry[]): Uint8Array =>
  Buffer.concat([Buffer.from([0x80 | entries.length]), ...entries.map(encodeEntry)])
const bytesOf = (text: string, size = 20): Uint8Array => new Uint8Array(Buffer.alloc(size, text))
const file = (path: string, body = bytesOf(path)): ManifestEntry => ({
  kind: 'file',
  path,
  mode: 0o644,
  sizeBytes: body.byteLength,
  root: rawCid(hashBlock(body))
})
const ref = (block: Uint8Array, lengthBytes = block.byteLength): ChunkRef => ({
  id: hashBlock(block),
  lengthBytes
})
const tree = (path: string, node: Uint8Array, sizeBytes: number): ManifestEntry => ({
  kind: 'file',
  path,
  mode: 0o644,
  sizeBytes,
  root: nodeCid(hashBlock(node))
})

interface Forgery {
  content: CID
  blocks: Uint8Array[]
  sizeBytes: number
  files: number
}

/** A manifest of one page. */
function single(entries: ManifestEntry[], blocks: Uint8Array[], over: Partial<Forgery> = {}): Forgery {
  const page = pageOf(...entries)
  const files = entries.filter(entry => entry.kind === 'file')
  return {
    content: rawCid(hashBlock(page)),
    blocks: [page, ...blocks],
    sizeBytes: files.reduce((sum, entry) => sum + entry.sizeBytes, 0),
    files: files.length,
    ...over
  }
}

const A = bytesOf('a')
const B = bytesOf('b')
const two = encodeNode(1, [ref(A), ref(B)])
const pages = [pageOf(file('b', B)), pageOf(file('a', A))]
const unsorted = encodeNode(
  1,
  pages.map(page => ref(page))
)

const FORGERIES: Array<[name: string, code: string, forgery: Forgery]> = [
  ['a file larger than the record states', 'CONTENT_INVALID', single([file('a', A)], [A], { sizeBytes: 19 })],
  ['less than the record states', 'CONTENT_INVALID', single([file('a', A)], [A], { sizeBytes: 21 })],
  [
    'more files than the record states',
    'CONTENT_INVALID',
    single([file('a', A), file('b', B)], [A, B], { files: 1 })
  ],
  ['fewer files than the record states', 'CONTENT_INVALID', single([file('a', A)], [A], { files: 2 })],
  ['unsorted entries', 'PATH_REFUSED', single([file('b', B), file('a', A)], [A, B])],
  ['a path that climbs', 'PATH_REFUSED', single([file('../a', A)], [A])],
  ['an absolute path', 'PATH_REFUSED', single([file('/a', A)], [A])],
  [
    'an entry below a link',
    'PATH_REFUSED',
    single([{ kind: 'symlink', path: 'a', target: '/etc' }, file('a/x', A)], [A])
  ],
  [
    'pages out of order',
    'PATH_REFUSED',
    { content: nodeCid(hashBlock(unsorted)), blocks: [unsorted, ...pages, A, B], sizeBytes: 40, files: 2 }
  ],
  [
    'a page that is no page',
    'CONTENT_INVALID',
    { content: rawCid(hashBlock(A)), blocks: [A], sizeBytes: 1, files: 1 }
  ],
  ['a setuid file', 'CONTENT_INVALID', single([{ ...file('a', A), mode: 0o4755 } as ManifestEntry], [A])],
  ['a tree smaller than its entry', 'CONTENT_INVALID', single([tree('a', two, 41)], [two, A, B])],
  ['a tree larger than its entry', 'CONTENT_INVALID', single([tree('a', two, 39)], [two, A, B])],
  [
    'a root with one child',
    'CONTENT_INVALID',
    single([tree('a', encodeNode(1, [ref(A)]), 20)], [encodeNode(1, [ref(A)]), A])
  ],
  [
    'chunks that are too short',
    'CONTENT_INVALID',
    (() => {
      const short = encodeNode(1, [ref(Buffer.alloc(MIN_CHUNK_BYTES - 1)), ref(A)])
      return single([tree('a', short, MIN_CHUNK_BYTES - 1 + A.byteLength)], [short, A])
    })()
  ],
  [
    'nodes that are not full',
    'CONTENT_INVALID',
    (() => {
      const top = encodeNode(2, [ref(two, 40), ref(two, 40)])
      return single([tree('a', top, 80)], [top, two, A, B])
    })()
  ],
  [
    'a tree that is too high',
    'CONTENT_INVALID',
    (() => {
      const top = new Uint8Array(
        encode({ count: 2, entries: Buffer.alloc(80, 1), level: 4, size: 0x0101010101 })
      )
      return single([tree('a', top, 40)], [top, A, B])
    })()
  ],
  [
    'a chunk of another length than its node states',
    'INVALID_ARGUMENT',
    (() => {
      // Not held from a case before: what is held is not looked at again.
      const [x, y] = [Buffer.alloc(MIN_CHUNK_BYTES, 'x'), bytesOf('y')]
      const node = encodeNode(1, [ref(x, x.byteLength + 1), ref(y)])
      return single([tree('a', node, x.byteLength + 1 + y.byteLength)], [node, x, y])
    })()
  ]
]

/** What is forged was never ingested, so no store counts it as complete: a forger says that it is. */
const claimsAll = (real: ContentStore): ContentStore => override(real, 'localState', () => 'complete')

describe('a release whose publisher forged', () => {
  let publisher: Peer
  let consumer: Peer
  beforeAll(async () => {
    ;[publisher, consumer] = await Promise.all([startPeer({ store: claimsAll }), startPeer()])
    await introduce(consumer.libp2p, publisher.libp2p)
  })
  afterAll(async () => {
    await Promise.all([publisher.close(), consumer.close()])
  })

  it.each(FORGERIES)('%s is refused with %s', async (name, code, { content, blocks, sizeBytes, files }) => {
    const stored = blocks.map(bytes => ({
      id: hashBlock(bytes),
      codec: BlockCodec.Raw,
      rawLengthBytes: bytes.byteLength,
      bytes: Uint8Array.from(bytes)
    }))
    const receive = publisher.library.content.beginReceive()
    await receive.writeBlocks(stored)
    await receive.end()
    const record = await publishContent(publisher, { content, sizeBytes, files }, name.replaceAll(' ', '-'))
    const asked = consumer.fetcher.fetch({ record: record.id, peers: [publisher.libp2p.peerId] })
    await expect(asked).rejects.toMatchObject({ code })
    expect(consumer.library.content.localState(content)).not.toBe('complete')
    // The source passed on what was published: it is not to blame.
    expect(consumer.violations).toEqual([])
  })
})

it('a release of more entries than a publish takes is refused before anything is asked for', () => {
  const content = rawCid(hashBlock(bytesOf('page')))
  const walk = (files: number): ReleaseWalk =>
    new ReleaseWalk({ store: {} as never, receive: {} as never }, { content, sizeBytes: files, files })
  expect(() => walk(5_000_001)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
  expect(walk(5_000_000).phase).toBe('manifest')
})
