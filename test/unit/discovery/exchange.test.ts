import { once } from 'node:events'
import type { Libp2p, Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock, WireStatus } from '../../../base/index.ts'
import {
  ExchangeClient,
  encodeFrame,
  FIND,
  type FindResponse,
  FrameReader,
  protocolId,
  pull,
  serveExchange
} from '../../../protocols/index.ts'
import { createNode } from '../protocols/nodes.ts'

const NETWORK = 'test'
const KEY = new Uint8Array(32).fill(7)
const PROTOCOL = protocolId(NETWORK, FIND.name, FIND.version)

describe('an exchange', () => {
  let asker: Libp2p
  let answerer: Libp2p
  let stop: () => Promise<void>
  let answer: () => Promise<Partial<FindResponse>>

  beforeEach(async () => {
    ;[asker, answerer] = await Promise.all([createNode(), createNode()])
    answer = async () => ({ providers: [{ peerRecord: Uint8Array.of(1), ageS: 2 }] })
    stop = await serveExchange({ libp2p: answerer, clock: systemClock, log: silentLogger }, FIND, {
      networkId: NETWORK,
      rate: { perSecond: 1, burst: 20 },
      maxRequests: 5,
      cost: ({ maxProviders }) => maxProviders,
      answer: () => answer()
    })
  })
  afterEach(async () => {
    await stop()
    await Promise.all([asker.stop(), answerer.stop()])
  })

  const open = (signal = AbortSignal.timeout(5000)): Promise<ExchangeClient<never, FindResponse>> =>
    ExchangeClient.open(
      asker,
      FIND,
      NETWORK,
      { peerId: answerer.peerId, addresses: answerer.getMultiaddrs() },
      signal
    ) as Promise<ExchangeClient<never, FindResponse>>
  const question = (cost = 1): object => ({ key: KEY, maxProviders: cost })
  const raw = async (): Promise<{ stream: Stream; reader: FrameReader }> => {
    const stream = await asker.dialProtocol(answerer.getMultiaddrs(), PROTOCOL)
    return { stream, reader: new FrameReader(pull(stream, { signal: AbortSignal.timeout(5000) })) }
  }
  const statusOfNext = async (reader: FrameReader): Promise<number> => {
    const frame = await reader.frame('answer', 10_000)
    return FIND.response.decode(frame!).status
  }

  it('answers one request after the other, up to its limit', async () => {
    const client = await open()
    for (let i = 0; i < 5; i++) expect((await client.ask(question() as never)).providers[0]!.ageS).toBe(2)
    await expect(client.ask(question() as never)).rejects.toMatchObject({ code: 'STREAM_TRUNCATED' })
  })

  it('ends with a reset at a peer that does not take the end of its stream', async () => {
    const connection = await asker.dial(answerer.getMultiaddrs())
    const stream = await connection.newStream(PROTOCOL)
    const libp2p = {
      getConnections: () => [{ status: 'open', newStream: async () => stream }]
    } as unknown as Libp2p
    const target = { peerId: answerer.peerId, addresses: [] }
    const client = await ExchangeClient.open(libp2p, FIND, NETWORK, target, AbortSignal.timeout(5000))
    const aborted = once(stream, 'close')
    stream.close = options =>
      new Promise((_, reject) =>
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
      )
    client.close()
    await aborted
    expect(stream.status).toBe('aborted')
  })

  it('tells a peer that asks for too much to come back later', async () => {
    const client = await open()
    await client.ask(question(20) as never)
    await expect(client.ask(question(10) as never)).rejects.toMatchObject({
      code: 'BUSY',
      details: { retryAfterMs: expect.toSatisfy((ms: number) => ms > 8000 && ms <= 10_000) }
    })
  })

  it('tells errors by their status and no more', async () => {
    answer = async () => {
      throw new Error('secret path /home/me')
    }
    await expect((await open()).ask(question() as never)).rejects.toMatchObject({
      code: 'PEER_FAILED',
      message: expect.not.stringContaining('secret')
    })
    answer = async () => {
      throw new CatalogError('PEER_REFUSED', 'not you')
    }
    await expect((await open()).ask(question() as never)).rejects.toMatchObject({ code: 'PEER_REFUSED' })
  })

  it('answers nonsense with a refusal and goes on', async () => {
    const { stream, reader } = await raw()
    stream.send(encodeFrame([], Uint8Array.of(0xff, 0xff)))
    expect(await statusOfNext(reader)).toBe(WireStatus.BadRequest)
    stream.send(encodeFrame([], FIND.request.encode({ key: KEY.subarray(1) })))
    expect(await statusOfNext(reader)).toBe(WireStatus.BadRequest)
    stream.send(encodeFrame([], FIND.request.encode({ key: KEY })))
    expect(await statusOfNext(reader)).toBe(WireStatus.Ok)
    await stream.close()
  })

  it('resets a stream that announces more than a request may have, before it comes', async () => {
    const { stream, reader } = await raw()
    stream.send(Uint8Array.of(0xff, 0xff, 0x7f))
    await expect(reader.frame('answer', 10_000)).rejects.toThrow()
    expect(stream.status).not.toBe('open')
  })

  it('gives up a peer that never answers when the signal says so', async () => {
    answer = () => new Promise(() => undefined)
    const client = await open(AbortSignal.timeout(200))
    await expect(client.ask(question() as never)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('says that a peer does not speak the protocol, and that one is not there', async () => {
    await stop()
    await expect(open()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await answerer.stop()
    await expect(open(AbortSignal.timeout(300))).rejects.toMatchObject({
      code: expect.stringMatching(/TIMEOUT|DIAL_FAILED|STREAM_TRUNCATED/)
    })
  })
})
