/** Blocks in zstd on their way between two stores: the same bytes at rest, on the wire and at rest again. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  BlockCodec,
  type BlockId,
  type ContentStore,
  comparePaths,
  hashBlock,
  MAX_BLOCK_BYTES,
  type ReleaseRecord
} from '../../../library/index.ts'
import { Part } from '../../../protocols/content/frames.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { introduce } from '../protocols/nodes.ts'
import { type Draft, type Lie, startLiar } from './liar.ts'
import { override, type Peer, publish, startPeer, tarOf, withPeers } from './peers.ts'

const lines = (seed: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${seed}: line ${i} of a text\n`).join('')
const TEXTS: TarEntry[] = [
  { name: 'long.txt', body: lines('long', 40_000) },
  { name: 'noise.bin', body: pseudoRandom('noise', 300_000) },
  ...Array.from({ length: 30 }, (_, i) => ({ name: `s/${i + 10}`, body: lines(`short ${i}`, 300) }))
]

/** A store that notes each block it reads for a peer, in order. */
function noting(sent: BlockId[]): (real: ContentStore) => ContentStore {
  return real =>
    override(real, 'readStoredMany', async (ids, memoryOf, signal) => {
      sent.push(...ids)
      return await real.readStoredMany(ids, memoryOf, signal)
    })
}

const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex')

/** Fetches and says what it cost on the wire. */
async function fetchFrom(consumer: Peer, publisher: Peer, { id }: ReleaseRecord): Promise<number> {
  const peers = [publisher.libp2p.peerId]
  const { sources } = await consumer.fetcher.fetch({ record: id, peers })
  return sources.reduce((sum, { bytes }) => sum + bytes, 0)
}

describe('blocks in zstd', () => {
  it('travel and are kept as the source has them, whatever made them', async () => {
    const sent: BlockId[] = []
    await withPeers(
      async (publisher, consumer) => {
        // One chunk is there already in another compression, which no publish here would make.
        const chunk = Buffer.from(lines('its own', 300))
        const best = zstdCompressSync(chunk, { params: { [constants.ZSTD_c_compressionLevel]: 19 } })
        const block = { id: hashBlock(chunk), codec: BlockCodec.Zstd, rawLengthBytes: chunk.byteLength }
        const receive = publisher.library.content.beginReceive()
        await receive.writeBlocks([{ ...block, bytes: Uint8Array.from(best) }])
        await receive.end()
        const record = await publish(publisher, [{ name: 'a-own', body: chunk }, ...TEXTS])
        const { sizeBytes, content } = record.release
        const wireBytes = await fetchFrom(consumer, publisher, record)
        expect(wireBytes).toBeLessThan(300_000 + (sizeBytes - 300_000) / 2)
        let storedBytes = 0
        const codecs = new Set<number>()
        for (const id of sent) {
          const here = await consumer.library.content.readStored(id)
          const there = await publisher.library.content.readStored(id)
          expect(here).toMatchObject({ codec: there.codec, rawLengthBytes: there.rawLengthBytes })
          expect(Buffer.compare(here.bytes, there.bytes)).toBe(0)
          storedBytes += here.bytes.byteLength
          codecs.add(here.codec)
        }
        expect([...codecs].sort()).toEqual([BlockCodec.Raw, BlockCodec.Zstd])
        expect((await consumer.library.content.readStored(block.id)).bytes).toHaveLength(best.byteLength)
        expect(wireBytes, 'headers only on top').toBeLessThan(storedBytes * 1.02 + 2000)
        expect(consumer.library.content.stats().bytes).toBe(publisher.library.content.stats().bytes)
        expect(await tarOf(consumer, record)).toEqual(await tarOf(publisher, record))
        expect(await consumer.library.content.verify(content)).toMatchObject({ ok: true })
      },
      { publisher: { store: noting(sent) } }
    )
  })
})

/** Two versions of a package that are installed here in any case. */
const OLD = 'node_modules/@libp2p/echo/node_modules/multiformats'
const NEW = 'node_modules/multiformats'

function entriesOf(folder: string): TarEntry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ name: path.slice(folder.length + 1), body: readFileSync(path) }))
    .sort((a, b) => comparePaths(a.name, b.name))
}

describe('an update of a real package', () => {
  it('asks for no block that is held from another release, and costs its new chunks as they are at rest', async () => {
    const sent: BlockId[] = []
    await withPeers(
      async (publisher, consumer) => {
        const old = await publish(publisher, entriesOf(OLD), 'one-name')
        await fetchFrom(consumer, publisher, old)
        const first = new Set(sent.map(hex))
        expect(first.size, 'no block twice').toBe(sent.length)
        sent.length = 0
        // Under another name: what is shared is found by content, not by history.
        const next = await publish(publisher, entriesOf(NEW), 'another-name')
        const result = await consumer.fetcher.fetch({ record: next.id, peers: [publisher.libp2p.peerId] })
        const newBytes = result.sources.reduce((sum, { bytes }) => sum + bytes, 0)
        expect(result.bytesReused).toBeGreaterThan(0)
        expect(result.bytesFetched + result.bytesReused).toBe(next.release.sizeBytes)
        expect(sent.filter(id => first.has(hex(id)))).toEqual([])
        expect(new Set(sent.map(hex)).size).toBe(sent.length)
        let atRest = 0
        for (const id of sent) atRest += (await consumer.library.content.readStored(id)).bytes.byteLength
        expect(newBytes).toBeLessThan(atRest + 16 * sent.length + 4000)
        expect(await tarOf(consumer, next)).toEqual(await tarOf(publisher, next))
      },
      { publisher: { store: noting(sent) } }
    )
  })
})

/** Changes the last block of an answer about a file that is in zstd. */
function ofLastZstd(
  change: (frame: Buffer, rawLength: number) => { bytes?: Uint8Array; codec?: number; rawLength?: number }
): Lie {
  return (draft: Draft) => {
    const blocks = [...draft.header.blocks!]
    const i = blocks.findLastIndex(({ codec }) => codec === BlockCodec.Zstd)
    if (draft.runs[0]!.part === Part.Manifest || i < 0) return draft
    const { bytes = draft.bytes[i]!, ...fields } = change(Buffer.from(draft.bytes[i]!), blocks[i]!.rawLength)
    blocks[i] = { ...blocks[i]!, ...fields, storedLength: bytes.byteLength }
    return {
      ...draft,
      header: { ...draft.header, blocks },
      bytes: draft.bytes.map((block, j) => (i === j ? bytes : block))
    }
  }
}

/** A frame that states a length of its own choice in its head. */
function stating(lengthBytes: number, raw: Uint8Array): Buffer {
  const frame = zstdCompressSync(raw)
  const head = Buffer.concat([frame.subarray(0, 4), Buffer.of(0xa0, 0, 0, 0, 0)])
  head.writeUInt32LE(lengthBytes, 5)
  return Buffer.concat([head, frame.subarray(5 + [1, 2, 4][frame[4]! >> 6]!)])
}

const LIES: Array<[string, string, Lie]> = [
  [
    'a good frame of other bytes',
    'BYTES_WRONG',
    ofLastZstd((_, size) => ({ bytes: zstdCompressSync(Buffer.alloc(size, 'x')) }))
  ],
  ['a frame without its end', 'BYTES_WRONG', ofLastZstd(frame => ({ bytes: frame.subarray(0, -1) }))],
  [
    'a byte behind a frame',
    'BYTES_WRONG',
    ofLastZstd(frame => ({ bytes: Buffer.concat([frame, Buffer.of(0)]) }))
  ],
  [
    'a frame behind a frame',
    'BYTES_WRONG',
    ofLastZstd((frame, size) => ({
      bytes: Buffer.concat([frame, zstdCompressSync(Buffer.alloc(100))]).subarray(0, size)
    }))
  ],
  [
    'a frame that needs a dictionary',
    'BYTES_WRONG',
    ofLastZstd(frame => {
      frame[4]! |= 3
      return { bytes: frame }
    })
  ],
  [
    'a frame of 50 MB',
    'BYTES_WRONG',
    ofLastZstd(() => ({ bytes: zstdCompressSync(Buffer.alloc(50_000_000)) }))
  ],
  [
    '50 MB that state the length asked for',
    'BYTES_WRONG',
    ofLastZstd((_, size) => ({ bytes: stating(size, Buffer.alloc(50_000_000)) }))
  ],
  [
    'one byte that states the length asked for',
    'BYTES_WRONG',
    ofLastZstd((_, size) => ({ bytes: stating(size, Buffer.of(1)) }))
  ],
  ['a frame that is said to be raw', 'PROTOCOL_VIOLATION', ofLastZstd(() => ({ codec: BlockCodec.Raw }))],
  [
    'a frame with a smaller raw length',
    'PROTOCOL_VIOLATION',
    ofLastZstd((_, size) => ({ rawLength: size - 1 }))
  ],
  [
    'a frame with the largest raw length',
    'PROTOCOL_VIOLATION',
    ofLastZstd(() => ({ rawLength: MAX_BLOCK_BYTES }))
  ],
  [
    'a frame longer than a block',
    'PROTOCOL_VIOLATION',
    ofLastZstd(() => ({ bytes: new Uint8Array(MAX_BLOCK_BYTES + 1), rawLength: MAX_BLOCK_BYTES + 1 }))
  ],
  [
    'a frame longer than its raw bytes',
    'PROTOCOL_VIOLATION',
    ofLastZstd((_, size) => ({ bytes: new Uint8Array(size + 1) }))
  ]
]

it.each(LIES)('a source that sends %s ends in %s, and the next one goes on', async (_, code, lie) => {
  const [publisher, consumer] = await Promise.all([startPeer(), startPeer()])
  const record = await publish(publisher, TEXTS)
  const liar = await startLiar(publisher, lie)
  try {
    await consumer.library.registry.add(record.bytes)
    const lying = await introduce(consumer.libp2p, liar)
    await expect(consumer.fetcher.fetch({ record: record.id, peers: [lying] })).rejects.toMatchObject({
      code
    })
    expect(consumer.violations.map(violation => violation.code)).toEqual([code])
    const honest = await introduce(consumer.libp2p, publisher.libp2p)
    await consumer.fetcher.fetch({ record: record.id, peers: [honest] })
    expect(await tarOf(consumer, record)).toEqual(await tarOf(publisher, record))
  } finally {
    await liar.stop()
    await Promise.all([publisher.close(), consumer.close()])
  }
})
