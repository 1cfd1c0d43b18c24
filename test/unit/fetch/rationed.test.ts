import { afterEach, describe, expect, it } from 'vitest'
import { systemClock, WireStatus } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { openMessage, Part } from '../../../protocols/content/frames.ts'
import { encodeFrame, type ThrottleOptions } from '../../../protocols/index.ts'
import { pseudoRandom } from '../content/fakes.ts'
import { introduce } from '../protocols/nodes.ts'
import { BulkClient, openFrame, rangeFrame, run } from './bulk-client.ts'
import { type Peer, type PeerOptions, publish, startPeer, throttleWith } from './peers.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** How long the rates are measured, after the burst is gone. */
const MEASURED_MS = 1500
/** One chunk, about 64 KiB, and how many of these are asked for ahead: what has come is counted in small steps. */
const WANTED = run({ part: Part.File, slot: 0 })
const AHEAD = 8

describe('a server that is limited', () => {
  const open: Peer[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map(peer => peer.close()))
  })

  async function serve(
    limits: Partial<ThrottleOptions>,
    server: PeerOptions['server'] = {}
  ): Promise<{ server: Peer; record: ReleaseRecord; client: () => Promise<Puller> }> {
    const { upload } = throttleWith({ clock: systemClock }, limits)
    const peer = await startPeer({ upload, server })
    open.push(peer)
    const record = await publish(peer, [{ name: 'a.bin', body: pseudoRandom('rationed', 2 * MIB) }])
    const client = async (): Promise<Puller> => {
      const other = await startPeer()
      open.push(other)
      return new Puller(other, peer, record)
    }
    return { server: peer, record, client }
  }

  /** A peer that asks and reads as fast as it gets answers. */
  class Puller {
    bytes = 0
    isOver = false
    readonly #own: Peer
    readonly #server: Peer
    readonly #record: ReleaseRecord

    constructor(own: Peer, server: Peer, record: ReleaseRecord) {
      this.#own = own
      this.#server = server
      this.#record = record
    }

    async stream(priority = 0): Promise<BulkClient> {
      const frame = encodeFrame(
        [],
        openMessage.encode({ record: this.#record.id.bytes, codecs: [1], priority })
      )
      const peer = await introduce(this.#own.libp2p, this.#server.libp2p)
      return await BulkClient.open(this.#own.libp2p, peer, frame)
    }

    async pull(streams: number, priority = 0): Promise<void> {
      for (let i = 0; i < streams; i++) {
        const stream = await this.stream(priority)
        expect(await stream.next()).toMatchObject({ status: WireStatus.Ok })
        for (let id = 1; id <= AHEAD; id++) stream.send(rangeFrame(id, WANTED))
        this.#read(stream).catch(error => {
          if (!this.isOver) throw error
        })
      }
    }

    async #read(stream: BulkClient): Promise<void> {
      for (let id = AHEAD + 1; !this.isOver; id++) {
        const answer = await stream.next()
        for (const { byteLength } of answer?.bytes ?? []) this.bytes += byteLength
        stream.send(rangeFrame(id, WANTED))
      }
      stream.stream.abort(new Error('enough'))
    }
  }

  /** What each got, in bytes a second. */
  async function measure(pullers: readonly Puller[], warmUpMs = 300): Promise<number[]> {
    await systemClock.wait(warmUpMs)
    const before = pullers.map(({ bytes }) => bytes)
    const startMs = systemClock.monotonicMs()
    await systemClock.wait(MEASURED_MS)
    const tookMs = systemClock.monotonicMs() - startMs
    const rates = pullers.map(({ bytes }, i) => ((bytes - before[i]!) * 1000) / tookMs)
    for (const puller of pullers) puller.isOver = true
    return rates
  }

  it('gives two equal peers equal shares, though one has eight streams', async () => {
    // So little that no reader falls behind for want of CPU on a busy machine.
    const rate = 3 * MIB
    const { client } = await serve({ total: { up: rate, down: 0 } })
    const [many, one] = await Promise.all([client(), client()])
    await Promise.all([many.pull(8), one.pull(1)])
    const rates = await measure([many, one])
    const [a, b] = rates as [number, number]
    expect((a + b) / rate).toBeGreaterThan(0.85)
    expect((a + b) / rate).toBeLessThan(1.15)
    expect((a + b) ** 2 / (2 * (a ** 2 + b ** 2))).toBeGreaterThanOrEqual(0.98)
  }, 20_000)

  it('serves what is urgent first, but no peer claims more than it may', async () => {
    const rate = 8 * MIB
    const { client } = await serve({ total: { up: rate, down: 0 } }, { maxPriority: 'high' })
    const [low, high, critical] = await Promise.all([client(), client(), client()])
    await Promise.all([low.pull(2, 1), high.pull(2, 3), critical.pull(2, 4)])
    const [ofLow, ofHigh, ofCritical] = (await measure([low, high, critical])) as [number, number, number]
    expect(ofLow).toBeLessThan(0.2 * rate)
    expect(ofHigh / ofCritical).toBeGreaterThan(0.6)
    expect(ofHigh / ofCritical).toBeLessThan(1.6)
  }, 20_000)

  it('answers BUSY, with when to come again, to a stream that would be too slow', async () => {
    const { client } = await serve({ perPeer: { up: 70 * KIB, down: 0 } })
    const puller = await client()
    const streams = []
    for (let i = 0; i < 3; i++) streams.push(await puller.stream())
    expect(await streams[0]!.next()).toMatchObject({ status: WireStatus.Ok })
    expect(await streams[1]!.next()).toMatchObject({ status: WireStatus.Ok })
    expect(await streams[2]!.next()).toMatchObject({ status: WireStatus.Busy, retryAfterMs: 500 })
  })

  it('serves others at full speed while one waits for its limit', async () => {
    const { client, server, record } = await serve({ perPeer: { up: 64 * KIB, down: 0 } })
    const slow = await client()
    await slow.pull(1)
    const other = await startPeer()
    open.push(other)
    const peer = await introduce(other.libp2p, server.libp2p)
    const stream = await BulkClient.open(other.libp2p, peer, openFrame(record.id.bytes))
    expect(await stream.next()).toMatchObject({ id: 0 })
    stream.send(rangeFrame(1, run({ part: Part.File, slot: 0 })))
    expect((await stream.next())?.bytes).toHaveLength(1)
    slow.isOver = true
  })
})
