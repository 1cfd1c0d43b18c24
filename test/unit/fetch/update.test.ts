/** The next version of a package that is held: only what is new is looked at, and nothing bad is passed over. */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import {
  blockIdOf,
  type ContentStore,
  hashBlock,
  type ManifestEntry,
  type ReleaseRecord
} from '../../../library/index.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { override, overrideReceive, type Peer, publish, publishContent, tarOf, withPeers } from './peers.ts'

const FILES = 600
const BODY_BYTES = 1000
/** In every version. */
const SHARED = 'f/1123'

const files = (changed: string): TarEntry[] =>
  Array.from({ length: FILES }, (_, i) => ({
    name: `f/${i + 1000}`,
    body: pseudoRandom(i % 100 === 7 ? `${changed} ${i}` : `same ${i}`, BODY_BYTES)
  }))

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-update-'))
})

afterEach(async () => {
  await rm(home, { recursive: true })
})

async function fileOf(peer: Peer, record: ReleaseRecord, path: string): Promise<Uint8Array> {
  const manifest = await peer.library.content.openManifest(record.release.content)
  for await (const entry of manifest.entries())
    if (entry.path === path) return blockIdOf((entry as ManifestEntry & { kind: 'file' }).root)
  throw new Error(`no ${path}`)
}

/** Turns a byte of a block where it stands in the consumer's segments. */
async function rot(id: Uint8Array): Promise<void> {
  const path = join(home, 'segments', '0')
  const length = Buffer.alloc(4)
  length.writeUInt32LE(BODY_BYTES)
  const at = (await readFile(path)).indexOf(Buffer.concat([Buffer.from('CSG1'), length, id]))
  const file = await open(path, 'r+')
  await file.write(Buffer.from([0xff, 0xfe, 0xfd]), 0, 3, at + RECORD_HEAD_BYTES)
  await file.close()
}

/** Has the daemon come upon the rot, as when it serves the block. */
async function find(peer: Peer, id: Uint8Array, record: ReleaseRecord): Promise<void> {
  const { content } = peer.library
  await expect(content.readStored(id)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
  await vi.waitFor(() => expect(content.localState(record.release.content)).toBe('partial'))
}

const fetchAll = (consumer: Peer, publisher: Peer, record: ReleaseRecord) =>
  consumer.fetcher.fetch({ record: record.id, peers: [publisher.libp2p.peerId] })

describe('an update of a package that is held', () => {
  it('looks into the pages that have changed, and into no others', async () => {
    let lookups = 0
    const store = (real: ContentStore): ContentStore =>
      override(real, 'hasBlock', id => {
        lookups++
        return real.hasBlock(id)
      })
    await withPeers(
      async (publisher, consumer) => {
        await fetchAll(consumer, publisher, await publish(publisher, files('one')))
        lookups = 0
        const next = await publish(publisher, files('two'), 'sample', '1.0.1')
        const result = await fetchAll(consumer, publisher, next)
        expect(result.bytesFetched).toBe(6 * BODY_BYTES)
        expect(result.bytesReused).toBe((FILES - 6) * BODY_BYTES)
        expect(lookups).toBeLessThan(FILES / 2)
        expect(await tarOf(consumer, next)).toEqual(await tarOf(publisher, next))
        const { sizeBytes, files: count } = next.release
        expect(consumer.library.content.summary(next.release.content)).toEqual({ sizeBytes, files: count })
      },
      { consumer: { store } }
    )
  })

  it('brings again what has rotted in the older version, once that is known', async () => {
    await withPeers(
      async (publisher, consumer) => {
        const first = await publish(publisher, files('one'))
        await fetchAll(consumer, publisher, first)
        const id = await fileOf(consumer, first, SHARED)
        await rot(id)
        await find(consumer, id, first)
        const next = await publish(publisher, files('two'), 'sample', '1.0.1')
        const result = await fetchAll(consumer, publisher, next)
        expect(result.bytesFetched).toBe(7 * BODY_BYTES)
        expect(await tarOf(consumer, next)).toEqual(await tarOf(publisher, next))
      },
      { consumer: { home } }
    )
  })

  it('brings it also when it is found while the update is fetched', async () => {
    let beforeMark = async (): Promise<void> => {}
    const store = (real: ContentStore): ContentStore =>
      overrideReceive(real, 'markComplete', receive => async (content, summary, options) => {
        await beforeMark()
        await receive.markComplete(content, summary, options)
      })
    await withPeers(
      async (publisher, consumer) => {
        const first = await publish(publisher, files('one'))
        await fetchAll(consumer, publisher, first)
        const id = await fileOf(consumer, first, SHARED)
        beforeMark = async () => {
          beforeMark = async () => {}
          await rot(id)
          await find(consumer, id, first)
        }
        const next = await publish(publisher, files('two'), 'sample', '1.0.1')
        await fetchAll(consumer, publisher, next)
        const bytes = await consumer.library.content.readBlock(id)
        expect(Buffer.compare(hashBlock(bytes), id)).toBe(0)
        expect(await tarOf(consumer, next)).toEqual(await tarOf(publisher, next))
      },
      { consumer: { home, store } }
    )
  })

  it('that states false totals is refused, though most of it is not read', async () => {
    await withPeers(async (publisher, consumer) => {
      await fetchAll(consumer, publisher, await publish(publisher, files('one')))
      const honest = await publish(publisher, files('two'), 'other')
      const { content, sizeBytes, files: count } = honest.release
      const lie = await publishContent(
        publisher,
        { content, sizeBytes: sizeBytes + 1, files: count },
        'sample',
        '1.0.1'
      )
      await expect(fetchAll(consumer, publisher, lie)).rejects.toMatchObject({ code: 'CONTENT_INVALID' })
      expect(consumer.library.content.localState(content)).not.toBe('complete')
    })
  })
})
