/** What a ledger is told of transfers: what was sent, and what came and was right. */
import { expect, it, vi } from 'vitest'
import { MIB, systemClock } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { Part } from '../../../protocols/content/frames.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { introduce } from '../protocols/nodes.ts'
import { BulkClient, openFrame, rangeFrame, run } from './bulk-client.ts'
import { type Lie, startLiar } from './liar.ts'
import { publish, startPeer, throttleWith, withPeers } from './peers.ts'

const ENTRIES: TarEntry[] = [
  { name: 'big.bin', body: pseudoRandom('measured', 700_000) },
  { name: 'small.txt', body: 'small' }
]

/** Sums up what one side is told, by peer. */
function meter() {
  const bytes = new Map<string, number>()
  const records: ReleaseRecord[] = []
  return {
    bytes,
    records,
    told(peerId: { toString(): string }, record: ReleaseRecord, count: number) {
      bytes.set(peerId.toString(), (bytes.get(peerId.toString()) ?? 0) + count)
      records.push(record)
    }
  }
}

it('is told by both sides alike, of the release that it was about', async () => {
  const sent = meter()
  const stored = meter()
  await withPeers(
    async (publisher, consumer) => {
      const record = await publish(publisher, ENTRIES)
      const peers = [publisher.libp2p.peerId]
      const { sources } = await consumer.fetcher.fetch({ record: record.id, peers })
      const [[giver, taken] = []] = stored.bytes
      const [[taker, given] = []] = sent.bytes
      expect(giver).toBe(publisher.libp2p.peerId.toString())
      expect(taker).toBe(consumer.libp2p.peerId.toString())
      expect(taken).toBe(sources[0]!.bytes)
      expect(taken).toBeGreaterThan(700_000)
      // The same answers: one counts the frame, the other what is read of it.
      expect(Math.abs(given! - taken!)).toBeLessThan(100)
      for (const { id } of [...sent.records, ...stored.records])
        expect(id.toString()).toBe(record.id.toString())
      await consumer.fetcher.fetch({ record: record.id, peers })
      expect(stored.bytes.get(giver!)).toBe(taken)
    },
    { publisher: { server: { onSent: sent.told } }, consumer: { onStored: stored.told } }
  )
})

it('is told what was sent of an answer that the peer cut off', async () => {
  const sent = meter()
  // Slow enough that there is something left to cut off.
  const { upload } = throttleWith({ clock: systemClock }, { total: { up: MIB / 2, down: 0 } })
  const publisher = await startPeer({ upload, server: { onSent: sent.told } })
  const taker = await startPeer()
  try {
    const record = await publish(publisher, ENTRIES)
    const peer = await introduce(taker.libp2p, publisher.libp2p)
    const client = await BulkClient.open(taker.libp2p, peer, openFrame(record.id.bytes))
    await client.next()
    let takenBytes = 0
    const isEnough = new Promise<void>(resolve => {
      client.stream.addEventListener('message', ({ data }) => {
        takenBytes += data.byteLength
        if (takenBytes > 150_000) resolve()
      })
    })
    client.send(rangeFrame(1, run({ part: Part.File, slot: 0, count: 6 })))
    client.next().catch(() => undefined)
    await isEnough
    client.stream.abort(new Error('enough'))
    await vi.waitFor(() =>
      expect(sent.bytes.get(taker.libp2p.peerId.toString())).toBeGreaterThanOrEqual(takenBytes)
    )
  } finally {
    await Promise.all([publisher.close(), taker.close()])
  }
})

it('credits a liar with nothing of what was wrong, and an honest source with what it brought', async () => {
  const stored = meter()
  const publisher = await startPeer()
  const consumer = await startPeer({ onStored: stored.told })
  const wrong: Lie = draft => {
    // Chunks only: nodes of trees are found out before anything is stored.
    const isChunk = (block: Uint8Array): boolean => block.byteLength > 16_000
    const flip = (block: Uint8Array): Uint8Array => Uint8Array.from(block, byte => byte ^ 1)
    return { ...draft, bytes: draft.bytes.map(block => (isChunk(block) ? flip(block) : block)) }
  }
  try {
    const record = await publish(publisher, ENTRIES)
    const liar = await startLiar(publisher, wrong)
    try {
      for (const node of [liar, publisher.libp2p]) await introduce(consumer.libp2p, node)
      await consumer.library.registry.add(record.bytes)
      await consumer.fetcher
        .fetch({ record: record.id, peers: [liar.peerId] })
        .catch(error => expect(error).toMatchObject({ code: 'BYTES_WRONG' }))
      // The manifest and the tree were right.
      expect(stored.bytes.get(liar.peerId.toString()) ?? 0).toBeLessThan(2000)
      await consumer.fetcher.fetch({ record: record.id, peers: [publisher.libp2p.peerId] })
      expect(stored.bytes.get(publisher.libp2p.peerId.toString())).toBeGreaterThan(700_000)
    } finally {
      await liar.stop()
    }
  } finally {
    await Promise.all([publisher.close(), consumer.close()])
  }
})
