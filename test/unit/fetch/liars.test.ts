import { zstdCompressSync } from 'node:zlib'
import type { Libp2p } from '@libp2p/interface'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WireStatus } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { answerMessage, Part } from '../../../protocols/content/frames.ts'
import { encodeFrame } from '../../../protocols/index.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { introduce } from '../protocols/nodes.ts'
import { type Lie, startLiar } from './liar.ts'
import { type Peer, publish, startPeer, tarOf } from './peers.ts'

const ENTRIES: TarEntry[] = [
  { name: 'big.bin', body: pseudoRandom('big', 700_000) },
  ...Array.from({ length: 40 }, (_, i) => ({ name: `s/${i + 10}`, body: pseudoRandom(`s${i}`, 200 + i) }))
]

/** Lies only about blocks of files. */
const afterManifest =
  (lie: Lie): Lie =>
  draft =>
    draft.runs[0]!.part === Part.Manifest ? draft : lie(draft)

const flip = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[copy.length >> 1]! ^= 1
  return copy
}

/** What the peer does, the code that the fetch must end with, and whether the peer is to be blamed. */
const LIES: Array<[name: string, code: string, isBlamed: boolean, lie: Lie]> = [
  [
    'wrong bytes in a chunk',
    'BYTES_WRONG',
    true,
    afterManifest(d => ({ ...d, bytes: [...d.bytes.slice(0, -1), flip(d.bytes.at(-1)!)] }))
  ],
  ['wrong bytes in the manifest', 'BYTES_WRONG', true, d => ({ ...d, bytes: d.bytes.map(flip) })],
  [
    'wrong bytes in a tree node',
    'BYTES_WRONG',
    true,
    afterManifest(d => ({ ...d, bytes: [flip(d.bytes[0]!), ...d.bytes.slice(1)] }))
  ],
  [
    'blocks in another order',
    'PROTOCOL_VIOLATION',
    true,
    afterManifest(d => ({
      ...d,
      header: { ...d.header, blocks: d.header.blocks!.toReversed() },
      bytes: d.bytes.toReversed()
    }))
  ],
  [
    'a wrong raw length',
    'PROTOCOL_VIOLATION',
    true,
    afterManifest(d => ({
      ...d,
      header: { ...d.header, blocks: d.header.blocks!.map(b => ({ ...b, rawLength: b.rawLength + 1 })) }
    }))
  ],
  [
    'a block too many',
    'PROTOCOL_VIOLATION',
    true,
    d => ({
      ...d,
      header: { ...d.header, blocks: [...d.header.blocks!, d.header.blocks![0]!] },
      bytes: [...d.bytes, d.bytes[0]!]
    })
  ],
  [
    'a block too few',
    'PROTOCOL_VIOLATION',
    true,
    d => ({ ...d, header: { ...d.header, blocks: d.header.blocks!.slice(1) }, bytes: d.bytes.slice(1) })
  ],
  [
    'trailing bytes',
    'PROTOCOL_VIOLATION',
    true,
    d => ({ ...d, bytes: [...d.bytes, new Uint8Array(50).fill(0x55)] })
  ],
  [
    'the answer to another request',
    'PROTOCOL_VIOLATION',
    true,
    d => ({ ...d, header: { ...d.header, id: 77 } })
  ],
  [
    'an unknown codec',
    'UNSUPPORTED',
    false,
    d => ({ ...d, header: { ...d.header, blocks: d.header.blocks!.map(b => ({ ...b, codec: 9 })) } })
  ],
  [
    'an unknown status',
    'PROTOCOL_VIOLATION',
    true,
    d => ({ ...d, header: { id: d.header.id!, status: 99 }, bytes: [] })
  ],
  ['an oversized header', 'PROTOCOL_VIOLATION', true, () => encodeFrame([], new Uint8Array(30_000))],
  ['garbage', 'PROTOCOL_VIOLATION', true, () => new Uint8Array(400).fill(0xfe)],
  [
    'a compression bomb',
    'BYTES_WRONG',
    true,
    afterManifest(d => {
      const bomb = zstdCompressSync(new Uint8Array(50_000_000))
      const i = d.header.blocks!.findIndex(b => b.rawLength >= bomb.byteLength)
      const blocks = d.header.blocks!.map((b, j) =>
        i === j ? { ...b, codec: 1, storedLength: bomb.byteLength } : b
      )
      return { ...d, header: { ...d.header, blocks }, bytes: d.bytes.map((b, j) => (i === j ? bomb : b)) }
    })
  ],
  [
    'an end in the middle of an answer',
    'STREAM_TRUNCATED',
    false,
    async d => {
      d.stream.send(encodeFrame([], answerMessage.encode(d.header)))
      d.stream.send(d.bytes[0]!.subarray(0, 10))
      await d.stream.close()
      return undefined
    }
  ],
  [
    'a reset in the middle of an answer',
    'STREAM_TRUNCATED',
    false,
    async d => {
      d.stream.send(encodeFrame([], answerMessage.encode(d.header)))
      d.stream.abort(new Error('enough'))
      return undefined
    }
  ],
  ['silence', 'TIMEOUT', false, () => undefined],
  [
    'that it has nothing',
    'NOT_FOUND',
    false,
    d => ({ ...d, header: { id: d.header.id!, status: WireStatus.NotFound }, bytes: [] })
  ],
  [
    'that it is broken',
    'PEER_FAILED',
    false,
    d => ({ ...d, header: { id: d.header.id!, status: WireStatus.Internal }, bytes: [] })
  ],
  [
    'that it is busy',
    'BUSY',
    false,
    d => ({ ...d, header: { id: d.header.id!, status: WireStatus.Busy, retryAfterMs: 5 }, bytes: [] })
  ]
]

describe('a source that answers with', () => {
  let publisher: Peer
  let record: ReleaseRecord
  beforeAll(async () => {
    publisher = await startPeer()
    record = await publish(publisher, ENTRIES)
  })
  afterAll(() => publisher.close())

  it.each(LIES)('%s ends in %s, and the next source goes on', async (_, code, isBlamed, lie) => {
    const clock = new ManualClock()
    const consumer = await startPeer({ clock })
    let liar: Libp2p | undefined
    // Time-outs and waits of the fetch pass ten times as fast: no faster, or a busy machine makes every source a silent one.
    const timer = setInterval(() => void clock.advance(50), 5)
    try {
      liar = await startLiar(publisher, lie)
      await consumer.library.registry.add(record.bytes)
      const lying = await introduce(consumer.libp2p, liar)
      await expect(consumer.fetcher.fetch({ record: record.id, peers: [lying] })).rejects.toMatchObject({
        code
      })
      expect(consumer.violations.map(v => v.code)).toEqual(isBlamed ? [code] : [])
      const { content } = consumer.library
      expect(content.localState(record.release.content)).not.toBe('complete')

      const honest = await introduce(consumer.libp2p, publisher.libp2p)
      const result = await consumer.fetcher.fetch({ record: record.id, peers: [lying, honest] })
      expect(result.sources.some(({ peerId }) => peerId.equals(honest))).toBe(true)
      expect(await tarOf(consumer, record)).toEqual(await tarOf(publisher, record))
      expect((await content.verify(record.release.content)).ok).toBe(true)
    } finally {
      clearInterval(timer)
      await liar?.stop()
      await consumer.close()
    }
  })
})
