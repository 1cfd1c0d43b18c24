import type { Libp2p, Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import * as generated from '../../../protocols/control/messages.js'
import {
  declareMessage,
  declareRequest,
  encodeFrame,
  FrameReader,
  GoodbyeReason,
  pull,
  quicTransport
} from '../../../protocols/index.ts'
import { eventually } from '../../eventually.ts'
import { type Side, side } from './control-side.ts'
import { introduce, withNodes } from './nodes.ts'

/** Any message with bytes in it serves as a test payload. */
const echo = declareRequest({
  method: 1000,
  name: 'test.echo',
  request: declareMessage('echo request', generated.Response, { minBytes: 0, maxBytes: 70_000 }),
  response: declareMessage('echo response', generated.Response, { minBytes: 0, maxBytes: 70_000 }),
  timeoutMs: 2000
})
const large = declareRequest({
  ...echo,
  method: 1001,
  name: 'test.large',
  response: declareMessage('large response', generated.Response, { minBytes: 0, maxBytes: 260_000 })
})
const unknown = declareRequest({ ...echo, method: 1002, name: 'test.unknown' })
const PROTOCOL = '/catalog/test/control/1'
const helloFrom = (region = ''): Uint8Array =>
  generated.Hello.encode({ version: 1, agent: 'x', maxInFlight: 8, instance: new Uint8Array(8), region })
/** As peers say it that know of no regions. */
const hello = encodeFrame([0], helloFrom())

async function withPair(run: (a: Side, b: Side) => Promise<void>): Promise<void> {
  await withNodes(2, async ([first, second]) => {
    const [a, b] = await Promise.all([side(first!), side(second!)])
    await introduce(a.libp2p, b.libp2p)
    await introduce(b.libp2p, a.libp2p)
    try {
      await run(a, b)
    } finally {
      await Promise.all([a.control.stop(), b.control.stop()])
    }
  })
}

const controlStreams = (libp2p: Libp2p): Stream[] =>
  libp2p.getConnections().flatMap(c => c.streams.filter(s => s.protocol === PROTOCOL && s.status === 'open'))

describe('control', () => {
  it('answers many requests in flight both ways over one stream', async () => {
    await withPair(async (a, b) => {
      for (const { control } of [a, b]) control.handle(echo, ({ id }) => ({ id: id + 1 }))
      const first = await a.control.request(b.libp2p.peerId, echo, { id: 1 })
      expect(first.id).toBe(2)
      const answers = await Promise.all(
        Array.from({ length: 120 }, async (_, i) => {
          const [from, to] = i % 2 === 0 ? [a, b] : [b, a]
          return (await from.control.request(to.libp2p.peerId, echo, { id: i })).id
        })
      )
      expect(answers).toEqual(answers.map((_, i) => i + 1))
      expect(controlStreams(a.libp2p)).toHaveLength(1)
      expect(a.control.hello(b.libp2p.peerId)?.agent).toBe('test/1')
      expect(a.violations.concat(b.violations)).toEqual([])
    })
  })

  it('uses one stream after both sides have opened one at the same time', async () => {
    await withPair(async (a, b) => {
      for (const { control } of [a, b]) control.handle(echo, ({ id }) => ({ id }))
      await a.libp2p.dial(b.libp2p.peerId)
      await Promise.all([
        a.control.request(b.libp2p.peerId, echo, { id: 1 }),
        b.control.request(a.libp2p.peerId, echo, { id: 1 })
      ])
      await Promise.all([a.clock.advance(3000), b.clock.advance(3000)])
      await eventually(() => controlStreams(a.libp2p).length === 1)
      expect((await a.control.request(b.libp2p.peerId, echo, { id: 7 })).id).toBe(7)
      expect((await b.control.request(a.libp2p.peerId, echo, { id: 8 })).id).toBe(8)
      expect(controlStreams(a.libp2p)).toHaveLength(1)
      const [kept] = controlStreams(a.libp2p)
      const aIsSmaller =
        Buffer.compare(a.libp2p.peerId.toMultihash().bytes, b.libp2p.peerId.toMultihash().bytes) < 0
      expect(kept?.direction).toBe(aIsSmaller ? 'outbound' : 'inbound')
    })
  })

  it('tells where a peer says that it is, and nothing of one that does not', async () => {
    await withNodes(2, async ([first, second]) => {
      const [a, b] = await Promise.all([side(first!, 'eu-west'), side(second!)])
      b.control.handle(echo, ({ id }) => ({ id }))
      await a.control.request(await introduce(a.libp2p, b.libp2p), echo, { id: 1 })
      await eventually(() => a.regions.length + b.regions.length === 2)
      expect([a.regions, b.regions]).toEqual([[''], ['eu-west']])
      await Promise.all([a.control.stop(), b.control.stop()])
    })
  })

  it('carries a status, its code and when to ask again', async () => {
    await withPair(async (a, b) => {
      b.control.handle(echo, () => {
        throw new CatalogError('RELEASE_NOT_FOUND', 'no such release')
      })
      await expect(a.control.request(b.libp2p.peerId, echo, {})).rejects.toMatchObject({
        code: 'NOT_FOUND',
        details: { remoteCode: 'RELEASE_NOT_FOUND' }
      })
      await expect(a.control.request(b.libp2p.peerId, unknown, { id: 1 })).rejects.toMatchObject({
        code: 'UNSUPPORTED'
      })
    })
  })

  it('answers BUSY above the limit, and goes on below it', async () => {
    await withPair(async (a, b) => {
      const gate = Promise.withResolvers<object>()
      b.control.handle(echo, () => gate.promise)
      const all = Array.from({ length: 130 }, () => a.control.request(b.libp2p.peerId, echo, { id: 1 }))
      const results = Promise.allSettled(all)
      await expect(all[129]).rejects.toMatchObject({ code: 'BUSY', details: { retryAfterMs: 100 } })
      gate.resolve({ id: 5 })
      expect((await results).filter(({ status }) => status === 'fulfilled')).toHaveLength(128)
      expect((await a.control.request(b.libp2p.peerId, echo, {})).id).toBe(5)
    })
  })

  it('cancels a request at the other side, by signal and by time-out', async () => {
    await withPair(async (a, b) => {
      const reasons: string[] = []
      b.control.handle(echo, async (_, { signal }) => {
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        reasons.push(signal.reason.code)
        return {}
      })
      const stop = new AbortController()
      const cancelled = a.control.request(b.libp2p.peerId, echo, { id: 1 }, { signal: stop.signal })
      const late = a.control.request(b.libp2p.peerId, echo, { id: 2 }, { timeoutMs: 500 })
      const outcome = Promise.allSettled([cancelled, late])
      await eventually(() => a.control.hello(b.libp2p.peerId) !== undefined)
      stop.abort(new Error('enough'))
      await a.clock.advance(750)
      await outcome
      await expect(cancelled).rejects.toThrow('enough')
      await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' })
      await eventually(() => reasons.length === 2)
      expect(reasons).toEqual(['ABORTED', 'ABORTED'])
      expect(a.violations.concat(b.violations)).toEqual([])
    })
  })

  it('says goodbye, which the other side hears before the stream ends', async () => {
    await withPair(async (a, b) => {
      b.control.handle(echo, () => ({}))
      await a.control.request(b.libp2p.peerId, echo, {})
      const heard: number[] = []
      a.control.onGoodbye((_, reason) => heard.push(reason))
      await b.control.goodbyeAll(GoodbyeReason.Shutdown, AbortSignal.timeout(2000))
      expect(heard).toEqual([GoodbyeReason.Shutdown])
      await eventually(() => controlStreams(a.libp2p).length === 0)
      expect(a.violations.concat(b.violations)).toEqual([])
    })
  })

  it('measures the round trip, and finds a peer that stops answering in less than 10 s', async () => {
    await withNodes(2, async ([first, second]) => {
      const a = await side(first!)
      const peer = second!
      const streams: Stream[] = []
      await peer.handle(PROTOCOL, stream => {
        streams.push(stream)
        stream.send(hello)
        // Pongs for the first ping only.
        void (async () => {
          const reader = new FrameReader(pull(stream))
          for (let pongs = 0; ; ) {
            const tag = await reader.varint()
            const body = await reader.frame('any', 100_000)
            if (tag === undefined || body === undefined) return
            if (tag === 4 && pongs++ === 0) stream.send(encodeFrame([5], body))
          }
        })().catch(() => undefined)
      })
      const asked = a.control.request(await introduce(a.libp2p, peer), echo, {}, { timeoutMs: 60_000 })
      const outcome = expect(asked).rejects.toMatchObject({ code: 'TIMEOUT' })
      await eventually(() => a.control.hello(peer.peerId) !== undefined)
      await a.clock.advance(3500)
      await eventually(() => a.roundTrips.length > 0)
      await a.clock.advance(10_000)
      await outcome
      expect(a.violations.map(({ code }) => code)).toEqual(['TIMEOUT'])
      await a.control.stop()
    })
  })
})

describe('control against a hostile peer', () => {
  /** Opens a control stream to `victim` by hand and sends `bytes`. */
  async function attack(attacker: Libp2p, victim: Side, ...bytes: Uint8Array[]): Promise<Stream> {
    const connection = await attacker.dial(await introduce(attacker, victim.libp2p))
    const stream = await connection.newStream(PROTOCOL)
    for (const part of bytes) if (stream.status === 'open') stream.send(part)
    return stream
  }

  /** Reads until the victim has ended the stream, in order or by a reset. */
  async function endOf(stream: Stream): Promise<void> {
    try {
      for await (const _ of pull(stream)) {
        // whatever it says
      }
    } catch (error) {
      expect(stream.status, String(error)).not.toBe('open')
    }
  }

  async function withVictim(
    run: (victim: Side, attacker: Libp2p, friend: Side) => Promise<void>
  ): Promise<void> {
    await withNodes(3, async ([first, second, third]) => {
      const [victim, friend] = await Promise.all([side(first!), side(third!)])
      victim.control.handle(echo, ({ id }) => ({ id }))
      await introduce(friend.libp2p, victim.libp2p)
      const alive = async (): Promise<void> => {
        expect((await friend.control.request(victim.libp2p.peerId, echo, { id: 3 })).id).toBe(3)
      }
      await alive()
      await run(victim, second!, friend)
      await alive()
      await Promise.all([victim.control.stop(), friend.control.stop()])
    })
  }

  const request = (id: number): Uint8Array =>
    encodeFrame([(1000 << 3) | 1], generated.Request.encode({ id, payload: new Uint8Array(0) }))

  /** The head of a frame without its body. */
  const announce = (tag: number, length: number): Uint8Array =>
    encodeFrame([tag], new Uint8Array(length)).subarray(0, -length)

  it.each<[string, Uint8Array[]]>([
    ['garbage', [new Uint8Array(100).fill(0xee)]],
    ['a request before hello', [request(1)]],
    ['a second hello', [hello, hello]],
    ['an oversized request', [hello, encodeFrame([(1000 << 3) | 1], new Uint8Array(70_000 + 300))]],
    ['an announcement of too much, whose bytes never come', [hello, announce((1000 << 3) | 1, 71_000)]],
    ['an announcement of too large a hello', [announce(0, 5000)]],
    ['an oversized hello', [encodeFrame([0], new Uint8Array(5000))]],
    [
      'an answer nobody asked for',
      [hello, encodeFrame([(1000 << 3) | 2], generated.Response.encode({ id: 4 }))]
    ],
    ['a hello with too long a region', [encodeFrame([0], helloFrom('r'.repeat(66)))]],
    ['a frame of the reserved kind', [hello, encodeFrame([7], new Uint8Array(1))]],
    ['a flood of pings', [hello, ...Array.from({ length: 1100 }, () => encodeFrame([4], new Uint8Array(0)))]],
    ['a request with id 0', [hello, request(0)]]
  ])('cuts %s', async (_, bytes) => {
    await withVictim(async (victim, attacker) => {
      const stream = await attack(attacker, victim, ...bytes)
      await eventually(() => victim.violations.length === 1)
      expect(victim.violations[0]?.code).toBe('PROTOCOL_VIOLATION')
      await eventually(() => stream.status !== 'open')
    })
  })

  it('measures nothing of pongs that were sent before anybody asked', async () => {
    await withVictim(async (victim, attacker, friend) => {
      const guesses = Array.from({ length: 900 }, (_, i) =>
        encodeFrame([5], generated.Ping.encode({ sequence: i + 1 }))
      )
      // The first tick asks; what is under way then comes at once, as if from next door.
      await attack(attacker, victim, hello)
      await eventually(() => victim.regions.length === 2)
      await victim.clock.advance(500)
      await attack(attacker, victim, hello, ...guesses)
      await victim.clock.advance(500)
      await eventually(() => victim.roundTrips.length > 0)
      expect(await friend.control.request(victim.libp2p.peerId, echo, { id: 1 })).toMatchObject({ id: 1 })
      expect(victim.roundTrips).toHaveLength(1)
    })
  })

  it('cuts a flood of requests beyond the limit', async () => {
    await withVictim(async (victim, attacker) => {
      const slow = declareRequest({ ...echo, method: 1001, name: 'test.slow' })
      victim.control.handle(
        slow,
        (_, { signal }) =>
          new Promise((__, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
          })
      )
      const ask = (id: number): Uint8Array => encodeFrame([(1001 << 3) | 1], generated.Request.encode({ id }))
      await attack(attacker, victim, hello, ...Array.from({ length: 1400 }, (_, i) => ask(i + 1)))
      await eventually(() => victim.violations.length === 1)
      expect(victim.violations[0]?.message).toMatch(/flood/)
    })
  })

  it('cuts a peer that asks and pings and never reads, and holds little for it', async () => {
    await withPair(async (a, b) => {
      let served = 0
      b.control.handle(large, () => {
        served++
        return { id: 1, payload: new Uint8Array(256_000) }
      })
      const evil = await createLibp2p({ transports: [quicTransport({ maxStreamData: 50_000 })] })
      try {
        const connection = await evil.dial(b.libp2p.getMultiaddrs())
        const stream = await connection.newStream(PROTOCOL)
        stream.pause()
        stream.send(hello)
        const asked = (id: number): Uint8Array =>
          generated.Request.encode({ id, payload: Uint8Array.of(8, 1) })
        for (let id = 1; id <= 120; id++) stream.send(encodeFrame([(1001 << 3) | 1], asked(id)))
        await eventually(() => served === 120)
        let heard = 0
        for (const incoming of controlStreams(b.libp2p)) incoming.addEventListener('message', () => heard++)
        for (let second = 1; second <= 40 && b.violations.length === 0; second++) {
          const before = heard
          stream.send(encodeFrame([4], generated.Ping.encode({ sequence: second })))
          // A second counts only when the ping of it has come: a silent peer is cut for its silence.
          await eventually(() => heard > before || b.violations.length > 0)
          await b.clock.advance(1000)
        }
        expect(b.violations).toMatchObject([
          { code: 'TIMEOUT', message: expect.stringMatching(/takes no answers/) }
        ])
      } finally {
        await evil.stop()
      }
      expect(a.violations).toEqual([])
    })
  })

  it('cuts a peer that says nothing, or stops inside its hello', async () => {
    for (const bytes of [new Uint8Array(0), hello.subarray(0, 5)])
      await withVictim(async (victim, attacker, friend) => {
        await attack(attacker, victim, bytes)
        await eventually(() => controlStreams(victim.libp2p).length === 2)
        await Promise.all([victim.clock.advance(2500), friend.clock.advance(2500)])
        await eventually(() => victim.violations.length === 1)
        expect(victim.violations[0]?.code).toBe('TIMEOUT')
      })
  })

  it('survives frames of random bytes, and keeps nothing of the streams they came on', async () => {
    await withVictim(async (victim, attacker) => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 7 }),
          fc.nat({ max: 1 }),
          fc.uint8Array({ maxLength: 60 }),
          async (kind, known, body) => {
            const frame = encodeFrame([(known * 1000 * 8) | kind], body)
            const stream = await attack(attacker, victim, hello, frame)
            await stream.close().catch(() => undefined)
            await endOf(stream)
            // The friend's stream is the one that is left.
            await eventually(() => controlStreams(victim.libp2p).length === 1)
            expect(victim.violations.every(({ code }) => code === 'PROTOCOL_VIOLATION')).toBe(true)
          }
        ),
        { numRuns: 20, examples: [[4, 0, new Uint8Array(0)]] }
      )
    })
  })
})
