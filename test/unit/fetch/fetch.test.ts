import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { type ContentStore, createReleaseRecord } from '../../../library/index.ts'
import type { FetchProgress } from '../../../protocols/index.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { keyOf } from '../records/examples.ts'
import { overrideReceive, publish, tarOf, withPeers } from './peers.ts'

const text = (seed: string, size: number): string =>
  Array.from({ length: Math.ceil(size / 40) }, (_, i) => `${seed} line ${i} of a text that compresses`)
    .join('\n')
    .slice(0, size)

/** A bit of everything: empty and small files, several chunks, twins, links, an empty folder. */
const MIXED: TarEntry[] = [
  { name: 'a-empty.txt', body: '' },
  { name: 'big.bin', body: pseudoRandom('big', 3_000_000) },
  { name: 'big.copy', body: pseudoRandom('big', 3_000_000) },
  { name: 'empty', type: 'directory' },
  { name: 'link', type: 'symlink', linkname: 'big.bin' },
  { name: 'one.bin', body: pseudoRandom('one', 10) },
  ...Array.from({ length: 300 }, (_, i) => ({
    name: `small/${String(i).padStart(4, '0')}.txt`,
    body: text(`file ${i}`, 20 * i)
  })),
  { name: 'text.txt', body: text('long', 600_000) },
  { name: 'zero.bin', body: new Uint8Array(2_000_000) }
]

describe('fetch', () => {
  it('brings a whole release, durable and complete', async () => {
    await withPeers(async (publisher, consumer) => {
      const record = await publish(publisher, MIXED)
      const progress: FetchProgress[] = []
      const result = await consumer.fetcher.fetch({
        record: record.id,
        peers: [publisher.libp2p.peerId],
        onProgress: event => progress.push(event)
      })
      expect(await tarOf(consumer, record)).toEqual(await tarOf(publisher, record))
      const { sizeBytes, files, content } = record.release
      expect(result.bytesFetched + result.bytesReused).toBe(sizeBytes)
      // Twins travel once, and so do the equal chunks of zeros.
      expect(result.bytesFetched).toBeLessThan(sizeBytes - 3_000_000)
      expect(result.sources.map(({ peerId }) => peerId.toString())).toEqual([
        publisher.libp2p.peerId.toString()
      ])
      expect(consumer.library.content.localState(content)).toBe('complete')
      expect(consumer.library.content.summary(content)).toEqual({ sizeBytes, files })
      expect((await consumer.library.content.verify(content)).ok).toBe(true)
      expect(progress[0]?.phase).toBe('record')
      expect(progress.at(-1)).toMatchObject({ phase: 'done', bytesDone: sizeBytes, filesDone: files })
      expect(consumer.violations.concat(publisher.violations)).toEqual([])
    })
  })

  it('asks each peer by the record that it knows the content by', async () => {
    await withPeers(async (publisher, consumer) => {
      const old = await publish(publisher, [{ name: 'a', body: 'b' }])
      const words = { ...old.release, description: 'new words', sequence: old.sequence + 1 }
      const revised = createReleaseRecord(words, keyOf('alice'))
      await consumer.library.registry.add(revised.bytes)
      const request = { record: revised.id, peers: [publisher.libp2p.peerId] }
      await expect(consumer.fetcher.fetch(request)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await consumer.fetcher.fetch({ ...request, recordAt: () => old.id })
      expect(consumer.library.content.localState(old.release.content)).toBe('complete')
    })
  })

  it('brings a release of one file, of none, and of one chunk', async () => {
    await withPeers(async (publisher, consumer) => {
      const contents: TarEntry[][] = [[], [{ name: 'a', body: '' }], [{ name: 'a', body: 'b' }]]
      for (const [i, entries] of contents.entries()) {
        const record = await publish(publisher, entries, `sample-${i}`)
        await consumer.fetcher.fetch({ record: record.id, peers: [publisher.libp2p.peerId] })
        expect(await tarOf(consumer, record)).toEqual(await tarOf(publisher, record))
      }
    })
  })

  it('goes on after an abort, and asks again for nothing that is here', async () => {
    const stop = new AbortController()
    let written = 0
    /** Aborts when the manifest, the root, and some chunks have been written. */
    const store = (real: ContentStore): ContentStore =>
      overrideReceive(real, 'writeBlocks', receive => async (blocks, signal) => {
        await receive.writeBlocks(blocks, signal)
        for (const { rawLengthBytes } of blocks) written += rawLengthBytes
        if (written > 2_500_000) stop.abort(new Error('that is enough'))
      })
    await withPeers(
      async (publisher, consumer) => {
        const body = pseudoRandom('large', 12_000_000)
        const record = await publish(publisher, [{ name: 'large.bin', body }])
        const peers = [publisher.libp2p.peerId]
        const aborted = consumer.fetcher.fetch({ record: record.id, peers, signal: stop.signal })
        await expect(aborted).rejects.toThrow('that is enough')
        expect(consumer.library.content.localState(record.release.content)).toBe('partial')
        const result = await consumer.fetcher.fetch({ record: record.id, peers })
        expect(result.bytesReused).toBeGreaterThanOrEqual(2_000_000)
        expect(result.bytesFetched + result.bytesReused).toBe(body.byteLength)
        expect(result.sources[0]?.bytes).toBeLessThan(result.bytesFetched + 10_000)
        expect(await tarOf(consumer, record)).toEqual(await tarOf(publisher, record))
        const again = await consumer.fetcher.fetch({ record: record.id, peers: [] })
        expect(again).toMatchObject({ bytesFetched: 0, bytesReused: body.byteLength, sources: [] })
      },
      { consumer: { store } }
    )
  })

  it('ends with the error of a full disk, whoever else could still send', async () => {
    const full = (real: ContentStore): ContentStore =>
      overrideReceive(
        real,
        'writeBlocks',
        () => () => Promise.reject(new CatalogError('DISK_FULL', 'no room'))
      )
    await withPeers(
      async (publisher, consumer) => {
        const record = await publish(publisher, MIXED)
        const { peerId } = publisher.libp2p
        await expect(
          consumer.fetcher.fetch({ record: record.id, peers: [peerId, peerId] })
        ).rejects.toMatchObject({
          code: 'DISK_FULL'
        })
        expect(consumer.violations).toEqual([])
      },
      { consumer: { store: full } }
    )
  })

  it('asks only for what an update changed', async () => {
    await withPeers(async (publisher, consumer) => {
      const files = (changed: string): TarEntry[] =>
        Array.from({ length: 400 }, (_, i) => ({
          name: `f/${i + 1000}`,
          body: pseudoRandom(i % 40 === 7 ? `${changed} ${i}` : `same ${i}`, 3000)
        }))
      const peers = [publisher.libp2p.peerId]
      const old = await publish(publisher, files('old'), 'sample-old')
      await consumer.fetcher.fetch({ record: old.id, peers })
      const next = await publish(publisher, files('new'), 'sample-new')
      const result = await consumer.fetcher.fetch({ record: next.id, peers })
      expect(result.bytesFetched).toBe(10 * 3000)
      // Ten files of 3,000 bytes, their ten pages of manifest and its nodes.
      expect(result.sources[0]?.bytes).toBeLessThan(10 * 3000 + 12 * 6000)
    })
  })

  it('completes a content that is whole but was never marked, without any source', async () => {
    await withPeers(async (publisher, consumer) => {
      const record = await publish(publisher, MIXED, 'first')
      await consumer.fetcher.fetch({ record: record.id, peers: [publisher.libp2p.peerId] })
      // The same blocks under another record: nothing of it has to travel.
      const twin = await publish(publisher, MIXED, 'second')
      await consumer.library.registry.add(twin.bytes)
      const result = await consumer.fetcher.fetch({ record: twin.id, peers: [] })
      expect(result.sources).toEqual([])
    })
  })

  it('fails with a code when there is no source, or none knows the release', async () => {
    await withPeers(async (publisher, consumer) => {
      const other = await publish(publisher, [{ name: 'a', body: 'a' }])
      await expect(consumer.fetcher.fetch({ record: other.id, peers: [] })).rejects.toMatchObject({
        code: 'NO_PROVIDERS'
      })
      const peers = [publisher.libp2p.peerId]
      const elsewhere = CID.createV1(0x71, other.release.content.multihash)
      await expect(consumer.fetcher.fetch({ record: elsewhere, peers })).rejects.toMatchObject({
        code: 'RELEASE_NOT_FOUND'
      })
    })
  })
})
