import fc from 'fast-check'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { CatalogError, systemClock, WireStatus } from '../../../base/index.ts'
import { BlockCodec, hashBlock, type ReleaseRecord } from '../../../library/index.ts'
import { openMessage, Part } from '../../../protocols/content/frames.ts'
import { encodeFrame, quicTransport } from '../../../protocols/index.ts'
import { eventually } from '../../eventually.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { introduce } from '../protocols/nodes.ts'
import { BulkClient, openFrame, rangeFrame, run, TOP } from './bulk-client.ts'
import { override, type Peer, type PeerOptions, publish, startPeer } from './peers.ts'

const ENTRIES: TarEntry[] = [
  { name: 'a-big.bin', body: pseudoRandom('big', 1_500_000) },
  { name: 'b-empty', body: '' },
  { name: 'c-small', body: 'c' },
  { name: 'd-link', type: 'symlink', linkname: 'c-small' },
  { name: 'e-small', body: 'e' }
]

describe('the content server', () => {
  const open: Peer[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map(peer => peer.close()))
  })

  interface Scene {
    server: Peer
    client: Peer
    record: ReleaseRecord
    clock: ManualClock
    connect: (...frames: Uint8Array[]) => Promise<BulkClient>
  }

  async function scene(options: PeerOptions = {}): Promise<Scene> {
    const clock = new ManualClock()
    const [server, client] = await Promise.all([startPeer({ clock, ...options }), startPeer()])
    open.push(server, client)
    const record = await publish(server, ENTRIES)
    const peer = await introduce(client.libp2p, server.libp2p)
    const connect = (...frames: Uint8Array[]): Promise<BulkClient> =>
      BulkClient.open(client.libp2p, peer, ...frames)
    return { server, client, record, clock, connect }
  }

  it('answers positions in order, and goes on after those that do not exist', async () => {
    const { record, connect } = await scene()
    const stream = await connect(
      openFrame(record.id.bytes),
      rangeFrame(1, TOP),
      rangeFrame(2, run({ part: Part.Roots, slot: 1, count: 4 })),
      rangeFrame(3, run({ first: 1 })),
      rangeFrame(4, run({ part: Part.Roots, slot: 2, count: 9 })),
      rangeFrame(5, run({ part: Part.Roots, page: 1 })),
      rangeFrame(6, run({ part: Part.File, slot: 2 })),
      rangeFrame(7, run({ part: Part.File, slot: 0, count: 3 })),
      rangeFrame(8, run({ part: Part.File, slot: 0, first: 1_000_000 })),
      rangeFrame(9, run({ part: Part.File, slot: 0, level: 1 })),
      rangeFrame(10, run({ part: Part.File, slot: 0, count: 1000 })),
      rangeFrame(11, run({ part: Part.Roots, slot: 0, count: 3 }))
    )
    expect(await stream.next()).toMatchObject({ id: 0, status: WireStatus.Ok })
    const manifest = await stream.next()
    expect(Buffer.compare(hashBlock(manifest!.bytes[0]!), record.release.content.multihash.digest)).toBe(0)
    // An empty file and a link have no block: two remain of four entries.
    const small = await stream.next()
    expect(small!.bytes.map(b => Buffer.from(b).toString())).toEqual(['c', 'e'])
    for (const id of [3, 4, 5, 6])
      expect(await stream.next()).toMatchObject({ id, status: WireStatus.NotFound })
    expect((await stream.next())?.bytes).toHaveLength(3)
    expect(await stream.next()).toMatchObject({ id: 8, status: WireStatus.NotFound })
    expect(await stream.next()).toMatchObject({ id: 9, status: WireStatus.NotFound })
    expect(await stream.next()).toMatchObject({ id: 10, status: WireStatus.TooLarge })
    expect((await stream.next())?.bytes).toHaveLength(2)
    await stream.stream.close()
    expect(await stream.next()).toBeUndefined()
  })

  it('says why it refuses: unknown release, no place; one that is not allowed is as good as unknown', async () => {
    const { server, connect, record } = await scene({
      clock: systemClock,
      server: { maxStreamsPerPeer: 1, mayRead: () => allowed }
    })
    let allowed = false
    const unknown = await connect(
      openFrame(Buffer.concat([record.id.bytes.subarray(0, 35), Buffer.from([0])]))
    )
    expect(await unknown.next()).toMatchObject({ id: 0, status: WireStatus.NotFound })
    await unknown.stream.close()
    expect(await unknown.next()).toBeUndefined()
    const denied = await connect(openFrame(record.id.bytes), rangeFrame(1, TOP))
    expect(await denied.next()).toMatchObject({ id: 0, status: WireStatus.NotFound })
    await denied.stream.close()
    expect(await denied.next()).toBeUndefined()
    allowed = true
    const first = await connect(openFrame(record.id.bytes))
    expect(await first.next()).toMatchObject({ status: WireStatus.Ok })
    const second = await connect(openFrame(record.id.bytes))
    expect(await second.next()).toMatchObject({ id: 0, status: WireStatus.Busy, retryAfterMs: 500 })
    expect(server.violations).toEqual([])
  })

  it('gives a peer a place of one that has taken all of them', async () => {
    const { server, record, connect } = await scene({ server: { maxStreams: 2 } })
    const greedy = [await connect(openFrame(record.id.bytes)), await connect(openFrame(record.id.bytes))]
    for (const stream of greedy) expect(await stream.next()).toMatchObject({ status: WireStatus.Ok })
    const other = await startPeer()
    open.push(other)
    const peer = await introduce(other.libp2p, server.libp2p)
    const stream = await BulkClient.open(other.libp2p, peer, openFrame(record.id.bytes), rangeFrame(1, TOP))
    expect(await stream.next()).toMatchObject({ id: 0, status: WireStatus.Ok })
    expect(await stream.next()).toMatchObject({ id: 1, status: WireStatus.Ok })
    expect((await greedy[1]!.rest()).end).toBe('cut')
    greedy[0]!.send(rangeFrame(1, TOP))
    expect(await greedy[0]!.next()).toMatchObject({ id: 1, status: WireStatus.Ok })
    const again = await connect(openFrame(record.id.bytes))
    expect(await again.next()).toMatchObject({ id: 0, status: WireStatus.Busy })
  })

  it('answers NOT_FOUND for a block that is gone, and goes on', async () => {
    let gone: string | undefined
    const { record, connect } = await scene({
      store: real =>
        override(real, 'readStoredMany', async (ids, ...rest) => {
          if (ids.some(id => Buffer.from(id).toString('hex') === gone))
            throw new CatalogError('CONTENT_MISSING', 'gone')
          return await real.readStoredMany(ids, ...rest)
        })
    })
    gone = Buffer.from(hashBlock(Buffer.from('c'))).toString('hex')
    const stream = await connect(
      openFrame(record.id.bytes),
      rangeFrame(1, run({ part: Part.Roots, slot: 2 })),
      rangeFrame(2, run({ part: Part.Roots, slot: 4 }))
    )
    expect(await stream.next()).toMatchObject({ id: 0 })
    expect(await stream.next()).toMatchObject({ id: 1, status: WireStatus.NotFound, blocks: [] })
    expect((await stream.next())?.bytes).toHaveLength(1)
  })

  it('answers BUSY, in order, what is asked beyond its queue', async () => {
    const gate = Promise.withResolvers<void>()
    const { record, connect } = await scene({
      store: real =>
        override(real, 'readStoredMany', async (...args) => {
          await gate.promise
          return await real.readStoredMany(...args)
        })
    })
    const asked = Array.from({ length: 30 }, (_, i) => rangeFrame(i + 1, run({ part: Part.Roots, slot: 2 })))
    const stream = await connect(openFrame(record.id.bytes), ...asked)
    expect(await stream.next()).toMatchObject({ id: 0 })
    // What was sent later has been answered: so all thirty are there.
    const later = await connect(openFrame(record.id.bytes))
    expect(await later.next()).toMatchObject({ id: 0 })
    gate.resolve()
    await stream.stream.close()
    const { ids, statuses, end } = await stream.rest()
    expect(end).toBe('fin')
    expect(ids).toEqual(asked.map((_, i) => i + 1))
    const busy = statuses.filter(status => status === WireStatus.Busy).length
    expect(busy).toBeGreaterThanOrEqual(30 - 18)
    expect(busy).toBeLessThan(30)
  })

  it('cuts a peer that sends no open, and one that asks for nothing', async () => {
    const { server, record, connect, clock } = await scene()
    const silent = await connect(openFrame(record.id.bytes).subarray(0, 4))
    const idle = await connect(openFrame(record.id.bytes))
    expect(await idle.next()).toMatchObject({ id: 0 })
    await clock.advance(3000)
    expect((await silent.rest()).end).toBe('cut')
    await clock.advance(60_000)
    expect((await idle.rest()).end).toBe('cut')
    expect(server.violations).toEqual([])
  })

  it('stops at a peer that does not read, with little in memory, and cuts it', async () => {
    const read = { bytes: 0 }
    const { record, connect, clock } = await scene({
      store: real =>
        override(real, 'readStoredMany', async (...args) => {
          const blocks = await real.readStoredMany(...args)
          for (const { bytes } of blocks) read.bytes += bytes.byteLength
          return blocks
        })
    })
    const greedy = await connect(openFrame(record.id.bytes))
    expect(await greedy.next()).toMatchObject({ id: 0 })
    greedy.stream.pause()
    // One request after the other, each as soon as the one before was read from the disk, until none is any more.
    let id = 0
    for (let before = -1; read.bytes > before; ) {
      before = read.bytes
      greedy.send(rangeFrame(++id, run({ part: Part.File, slot: 0, count: 12 })))
      await eventually(() => read.bytes > before, 1000).catch(() => undefined)
    }
    // The windows of QUIC on both sides (10 MB each), and two answers.
    expect(read.bytes).toBeGreaterThan(2_000_000)
    expect(read.bytes).toBeLessThan(25_000_000)
    await clock.advance(61_000)
    greedy.stream.resume()
    expect((await greedy.rest()).end).toBe('cut')
  })

  it('cuts a peer that has closed its side and does not read the rest', async () => {
    const { server, record, clock } = await scene()
    // Its window is small, so that the answer does not fit into it.
    const evil = await createLibp2p({ transports: [quicTransport({ maxStreamData: 50_000 })] })
    try {
      const peer = await introduce(evil, server.libp2p)
      const { stream } = await BulkClient.open(evil, peer, openFrame(record.id.bytes))
      stream.pause()
      stream.send(rangeFrame(1, run({ part: Part.File, slot: 0, count: 10 })))
      stream.close().catch(() => undefined)
      const served = (): number => server.libp2p.getConnections(evil.peerId)[0]!.streams.length
      await eventually(
        () => server.libp2p.getConnections(evil.peerId)[0]?.streams[0]?.remoteWriteStatus === 'closed'
      )
      // The server may still be reading the answer from its disk when the time is first moved on.
      for (let tries = 0; tries < 5 && served() > 0; tries++) await clock.advance(62_000, 500)
      await eventually(() => served() === 0)
    } finally {
      await evil.stop()
    }
  })

  it('cuts a peer that reads no refusals', async () => {
    const { server, record, clock } = await scene()
    const evil = await createLibp2p({ transports: [quicTransport({ maxStreamData: 50_000 })] })
    try {
      const peer = await introduce(evil, server.libp2p)
      const { stream } = await BulkClient.open(evil, peer, openFrame(record.id.bytes))
      stream.pause()
      const served = () => server.libp2p.getConnections(evil.peerId)[0]?.streams[0]
      const nothing = Array.from({ length: 40_000 }, (_, id) => rangeFrame(id + 1, run({ page: 99 })))
      stream.send(Buffer.concat(nothing))
      await eventually(() => served()?.writableNeedsDrain === true)
      // The transport may still take some of what waits when the time is first moved on.
      await eventually(async () => {
        await clock.advance(62_000, 500)
        return served() === undefined
      })
    } finally {
      await evil.stop()
    }
  })

  it('sends no block in a codec that the asker does not read', async () => {
    const { client, record, connect } = await scene({
      store: real =>
        override(real, 'readStoredMany', async (...args) =>
          (await real.readStoredMany(...args)).map(block => ({ ...block, codec: BlockCodec.Zstd }))
        )
    })
    const ask = async (codecs: number[]): Promise<unknown> => {
      const open = encodeFrame([], openMessage.encode({ record: record.id.bytes, codecs }))
      const stream = await connect(open, rangeFrame(1, run({ part: Part.File, slot: 0 })))
      expect(await stream.next()).toMatchObject({ id: 0, status: WireStatus.Ok })
      return await stream.next()
    }
    expect(await ask([1, 7])).toMatchObject({ status: WireStatus.Ok, blocks: [{ codec: 1 }] })
    expect(await ask([])).toMatchObject({ status: WireStatus.Unsupported, blocks: [] })
    expect(client.violations).toEqual([])
  })

  it('survives random, truncated and hostile frames, and serves others meanwhile', async () => {
    const { server, client, record, connect } = await scene({ clock: systemClock })
    const valid = Buffer.concat([
      openFrame(record.id.bytes),
      rangeFrame(1, TOP, run({ part: Part.Roots, count: 5 })),
      rangeFrame(2, run({ part: Part.File, count: 4 }))
    ])
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
      fc
        .uint8Array({ maxLength: 100 })
        .map(bytes => Buffer.concat([openFrame(record.id.bytes), encodeFrame([], bytes)])),
      fc.nat({ max: valid.byteLength }).map(length => valid.subarray(0, length)),
      fc.tuple(fc.nat({ max: valid.byteLength - 1 }), fc.nat({ max: 255 })).map(([at, value]) => {
        const bytes = Buffer.from(valid)
        bytes[at] = value
        return bytes
      }),
      fc
        .record({
          part: fc.nat({ max: 3 }),
          page: fc.nat(),
          slot: fc.nat(),
          level: fc.nat({ max: 9 }),
          first: fc.nat(),
          count: fc.nat(),
          top: fc.boolean()
        })
        .map(fields => Buffer.concat([openFrame(record.id.bytes), rangeFrame(1, run(fields))]))
    )
    await fc.assert(
      fc.asyncProperty(hostile, async bytes => {
        const stream = await connect(bytes)
        await stream.stream.close().catch(() => undefined)
        const { ids } = await stream.rest()
        expect(ids.length).toBeLessThanOrEqual(3)
      }),
      { numRuns: 40 }
    )
    const result = await client.fetcher.fetch({ record: record.id, peers: [server.libp2p.peerId] })
    expect(result.bytesFetched).toBe(record.release.sizeBytes)
  })
})
