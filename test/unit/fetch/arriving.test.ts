/** A content is read while it is fetched. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIB } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { introduce } from '../protocols/nodes.ts'
import { startLiar } from './liar.ts'
import { type Peer, publish, startPeer, tarOf } from './peers.ts'

const FILE_BYTES = 3_000_000
const FILES = 8
const ENTRIES: TarEntry[] = [
  { name: 'empty', type: 'directory', mode: 0o755 },
  ...Array.from({ length: FILES }, (_, i) => ({
    name: `file-${i}`,
    body: pseudoRandom(`arriving ${i}`, FILE_BYTES)
  })),
  { name: 'link', type: 'symlink' as const, linkname: 'file-0' }
]
/** So much is asked for before the fetch stands still: more than the store commits at once (8 MiB). */
const ASKED_BYTES = 12 * MIB
/** What can then be read, less what the export keeps back in its buffers. */
const READABLE_BYTES = 4 * MIB

let publisher: Peer
let consumer: Peer
let record: ReleaseRecord
let peers: Parameters<Peer['fetcher']['fetch']>[0]['peers']
/** Lets the fetch go on. */
let goOn: () => void
beforeEach(async () => {
  const gate = Promise.withResolvers<void>()
  goOn = gate.resolve
  let asked = 0
  const budget = {
    take: async (_peer: unknown, _class: unknown, bytes: number, signal: AbortSignal): Promise<void> => {
      asked += bytes
      if (asked <= ASKED_BYTES) return
      const aborted = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => aborted.reject(signal.reason))
      await Promise.race([gate.promise, aborted.promise])
    }
  }
  ;[publisher, consumer] = await Promise.all([startPeer(), startPeer({ budget })])
  record = await publish(publisher, ENTRIES)
  peers = [await introduce(consumer.libp2p, publisher.libp2p)]
})
afterEach(async () => {
  goOn()
  await Promise.all([publisher.close(), consumer.close()])
})

/** Reads to the end; `onBytes` hears how much there is. */
async function read(
  fetched: Promise<unknown>,
  onBytes: (bytes: number) => void = () => {},
  signal?: AbortSignal
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of consumer.library.content.exportArriving(record.release.content, fetched, signal)) {
    parts.push(Uint8Array.from(part))
    bytes += part.byteLength
    onBytes(bytes)
  }
  return Buffer.concat(parts)
}

const fetch = (signal?: AbortSignal): Promise<unknown> =>
  consumer.fetcher.fetch({ record: record.id, peers, ...(signal && { signal }) })

describe('a content that is being fetched', () => {
  it('is read as it arrives, and is whole when the fetch has ended', async () => {
    let isFetched = false
    let wentOn = false
    const fetched = fetch().then(() => {
      isFetched = true
    })
    const tar = await read(fetched, bytes => {
      if (bytes < READABLE_BYTES || wentOn) return
      wentOn = true
      expect(isFetched).toBe(false)
      expect(consumer.library.content.localState(record.release.content)).toBe('partial')
      goOn()
    })
    // Nobody but the reader let the fetch go on.
    expect(isFetched).toBe(true)
    expect(tar.equals(await tarOf(publisher, record))).toBe(true)
  })

  it('ends with the error of the fetch', async () => {
    const stopping = new AbortController()
    const fetched = fetch(stopping.signal)
    const reading = read(fetched, bytes => {
      if (bytes >= READABLE_BYTES) stopping.abort(new Error('cancelled in the middle'))
    })
    await expect(fetched).rejects.toThrow('cancelled in the middle')
    await expect(reading).rejects.toThrow('cancelled in the middle')
  })

  it('ends with what a source was found to lie about in the middle', async () => {
    goOn()
    let sent = 0
    const liar = await startLiar(publisher, draft => {
      sent += draft.bytes.reduce((sum, { byteLength }) => sum + byteLength, 0)
      if (sent < ASKED_BYTES) return draft
      return { ...draft, bytes: draft.bytes.map(bytes => bytes.map(byte => byte ^ 1)) }
    })
    peers = [await introduce(consumer.libp2p, liar)]
    await consumer.library.registry.add(record.bytes)
    let got = 0
    const fetched = fetch()
    const reading = read(fetched, bytes => {
      got = bytes
    })
    await expect(fetched).rejects.toMatchObject({ code: 'BYTES_WRONG' })
    await expect(reading).rejects.toMatchObject({ code: 'BYTES_WRONG' })
    expect(got).toBeGreaterThan(READABLE_BYTES)
    await liar.stop()
  })

  it('can be left by its reader, and the fetch goes on', async () => {
    const leaving = new AbortController()
    const fetched = fetch()
    const reading = read(
      fetched,
      bytes => {
        if (bytes >= READABLE_BYTES) setImmediate(() => leaving.abort(new Error('the reader left')))
      },
      leaving.signal
    )
    await expect(reading).rejects.toThrow('the reader left')
    goOn()
    await fetched
    expect((await read(fetched)).equals(await tarOf(publisher, record))).toBe(true)
  })

  it('is missing when the fetch ends without it', async () => {
    await expect(read(Promise.resolve())).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
  })
})
