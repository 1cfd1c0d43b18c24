import type { PeerId } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { idKey, type ReleaseRecord } from '../../../library/index.ts'
import { Part } from '../../../protocols/content/frames.ts'
import { SILENT_MS } from '../../../protocols/content/limits.ts'
import { pseudoRandom } from '../content/fakes.ts'
import { introduce } from '../protocols/nodes.ts'
import { crawling, startLiar } from './liar.ts'
import { overrideReceive, type Peer, type PeerOptions, publish, slowed, startPeer, tarOf } from './peers.ts'

const BODY = pseudoRandom('many', 12_000_000)
const SMALL = Array.from({ length: 200 }, (_, i) => ({
  name: `s/${i + 100}`,
  body: pseudoRandom(`${i}`, 900)
}))
const ENTRIES = [{ name: 'big.bin', body: BODY }, ...SMALL]
/** Bytes a second that a source's disk gives: far below what the link carries, and what a busy machine can check. */
const RATE = 3_000_000

describe('a fetch from many sources', () => {
  const peers: Array<{ close(): Promise<void> }> = []
  afterEach(async () => {
    await Promise.all(peers.splice(0).map(peer => peer.close()))
  })

  const start = async (options?: PeerOptions): Promise<Peer> => {
    const peer = await startPeer(options)
    peers.push(peer)
    return peer
  }
  /** Sources with the same release, each at a rate. */
  const startSources = async (
    rates: readonly number[]
  ): Promise<{ sources: Peer[]; record: ReleaseRecord }> => {
    const sources = await Promise.all(rates.map(rate => start({ store: slowed(rate) })))
    const [record] = await Promise.all(sources.map(source => publish(source, ENTRIES)))
    return { sources, record: record! }
  }
  const know = (consumer: Peer, sources: readonly Peer[]): Promise<PeerId[]> =>
    Promise.all(sources.map(source => introduce(consumer.libp2p, source.libp2p)))

  it('is faster from three than from one, and writes nothing twice', async () => {
    const { sources, record } = await startSources([RATE, RATE, RATE])
    const alone = await start()
    const [first] = await know(alone, sources.slice(0, 1))
    const one = await alone.fetcher.fetch({ record: record.id, peers: [first!] })

    const written = new Map<string, number>()
    const consumer = await start({
      store: real =>
        overrideReceive(real, 'writeBlocks', receive => async (blocks, signal) => {
          for (const { id } of blocks) written.set(idKey(id), (written.get(idKey(id)) ?? 0) + 1)
          await receive.writeBlocks(blocks, signal)
        })
    })
    const three = await consumer.fetcher.fetch({ record: record.id, peers: await know(consumer, sources) })
    expect(three.tookMs / one.tookMs).toBeLessThan(0.75)
    const sent = three.sources.map(({ bytes }) => bytes)
    expect(Math.min(...sent) / BODY.byteLength).toBeGreaterThan(0.15)
    expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(1.25 * BODY.byteLength)
    expect([...written.values()].filter(times => times > 1)).toEqual([])
    expect(await tarOf(consumer, record)).toEqual(await tarOf(sources[0]!, record))
  })

  it('goes on without a source that is gone', async () => {
    const { sources, record } = await startSources([RATE, RATE])
    const consumer = await start()
    const ids = await know(consumer, sources)
    let gone: Promise<void> | undefined
    const result = await consumer.fetcher.fetch({
      record: record.id,
      peers: ids,
      onProgress: ({ sources: [, second] }) => {
        if (second !== undefined && second.bytes > 1_000_000)
          gone ??= Promise.resolve(sources[1]!.libp2p.stop())
      }
    })
    await gone
    expect(gone).toBeDefined()
    expect(result.bytesFetched).toBe(record.release.sizeBytes)
    expect(await tarOf(consumer, record)).toEqual(await tarOf(sources[0]!, record))
  })

  it('blames a liar and takes the rest from the others', async () => {
    const { sources, record } = await startSources([RATE])
    const liar = await startLiar(sources[0]!, draft =>
      draft.runs[0]!.part === Part.Manifest
        ? draft
        : { ...draft, bytes: draft.bytes.map(bytes => bytes.map(byte => byte ^ 1)) }
    )
    peers.push({ close: async () => void (await liar.stop()) })
    const consumer = await start()
    const [honest] = await know(consumer, sources)
    const lying = await introduce(consumer.libp2p, liar)
    const failed: string[] = []
    await consumer.library.registry.add(record.bytes)
    await consumer.fetcher.fetch({
      record: record.id,
      peers: [lying, honest!],
      onSourceFailed: peerId => failed.push(peerId.toString())
    })
    expect(consumer.violations.map(({ code }) => code)).toEqual(['BYTES_WRONG'])
    expect(failed).toEqual([lying.toString()])
    expect(await tarOf(consumer, record)).toEqual(await tarOf(sources[0]!, record))
  })

  it('does not wait for a source that says nothing', async () => {
    const { sources, record } = await startSources([RATE])
    const alone = await start()
    const { tookMs: aloneMs } = await alone.fetcher.fetch({
      record: record.id,
      peers: await know(alone, sources)
    })
    const silent = await startLiar(sources[0]!, draft =>
      draft.runs[0]!.part === Part.Manifest ? draft : undefined
    )
    peers.push({ close: async () => void (await silent.stop()) })
    const consumer = await start()
    const [honest] = await know(consumer, sources)
    const mute = await introduce(consumer.libp2p, silent)
    await consumer.library.registry.add(record.bytes)
    const { tookMs } = await consumer.fetcher.fetch({ record: record.id, peers: [mute, honest!] })
    expect(tookMs).toBeLessThan(aloneMs + SILENT_MS)
    expect(await tarOf(consumer, record)).toEqual(await tarOf(sources[0]!, record))
  })

  it('comes to the fast one, although all that it draws from at first crawl', async () => {
    const fast = await start({ store: slowed(RATE) })
    const record = await publish(fast, [{ name: 'big.bin', body: BODY.subarray(0, 5_000_000) }])
    const consumer = await start()
    await consumer.library.registry.add(record.bytes)
    const crawlers: PeerId[] = []
    for (let i = 0; i < 8; i++) {
      const crawler = await startLiar(fast, crawling(20_000))
      peers.push({ close: async () => void (await crawler.stop()) })
      crawlers.push(await introduce(consumer.libp2p, crawler))
    }
    const [best] = await know(consumer, [fast])
    const letGo: string[] = []
    const { sources, bytesFetched } = await consumer.fetcher.fetch({
      record: record.id,
      peers: [...crawlers, best!],
      onSourceFailed: (peerId, { code }) => letGo.push(`${code} ${peerId}`)
    })
    const sent = sources.find(({ peerId }) => peerId.equals(best))?.bytes ?? 0
    expect(sent / bytesFetched).toBeGreaterThan(0.75)
    expect(sources.reduce((sum, { bytes }) => sum + bytes, 0) / bytesFetched).toBeLessThan(1.25)
    expect(letGo.length).toBeGreaterThan(0)
    expect(letGo).toEqual(letGo.filter(text => crawlers.some(peerId => text === `SOURCE_SLOW ${peerId}`)))
    expect(await tarOf(consumer, record)).toEqual(await tarOf(fast, record))
  })

  it('takes in a source that is found while it runs', async () => {
    const { sources, record } = await startSources([RATE, RATE])
    const consumer = await start()
    const [early, late] = await know(consumer, sources)
    const some = Promise.withResolvers<void>()
    const result = await consumer.fetcher.fetch({
      record: record.id,
      peers: [early!],
      morePeers: async function* () {
        await some.promise
        yield early!
        yield late!
      },
      onProgress: ({ bytesFetched }) => {
        if (bytesFetched > 1_000_000) some.resolve()
      }
    })
    const sent = result.sources.find(({ peerId }) => peerId.equals(late))
    expect(sent!.bytes).toBeGreaterThan(2_000_000)
    expect(result.sources.length).toBe(2)
  })

  it('asks its budget before each request', async () => {
    const { sources, record } = await startSources([RATE])
    const taken: number[] = []
    const consumer = await start({
      budget: {
        take: async (_peerId, trafficClass, bytes) => {
          expect(trafficClass).toBe('low')
          taken.push(bytes)
        }
      }
    })
    const result = await consumer.fetcher.fetch({
      record: record.id,
      peers: await know(consumer, sources),
      trafficClass: () => 'low'
    })
    const sum = taken.reduce((total, bytes) => total + bytes, 0)
    expect(sum / result.sources[0]!.bytes).toBeCloseTo(1, 1)
  })
})
