import { describe, expect, it } from 'vitest'
import type { FetchProgress } from '../../../protocols/index.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { publish, tarOf, withPeers } from './peers.ts'

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
})
