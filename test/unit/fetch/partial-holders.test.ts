import { afterEach, describe, expect, it } from 'vitest'
import { WireStatus } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { answerMessage } from '../../../protocols/content/frames.ts'
import type { Have } from '../../../protocols/content/messages.js'
import { encodeFrame } from '../../../protocols/index.ts'
import { pseudoRandom } from '../content/fakes.ts'
import { introduce } from '../protocols/nodes.ts'
import { type LyingMap, startLiar } from './liar.ts'
import { overrideReceive, type Peer, type PeerOptions, publish, slowed, startPeer, tarOf } from './peers.ts'

const BODY = pseudoRandom('partial', 16_000_000)
const ENTRIES = [
  { name: 'a.bin', body: BODY.subarray(0, 10_000_000) },
  { name: 'b.bin', body: BODY.subarray(10_000_000) },
  { name: 'c.copy', body: BODY.subarray(0, 3_000_000) }
]
const UNITS = Math.ceil(19_000_000 / 2 ** 20)
/** A map of all units, with the bits behind the end clear. */
const FULL = Uint8Array.from({ length: Math.ceil(UNITS / 8) }, (_, i) =>
  i < UNITS >> 3 ? 255 : 2 ** (UNITS % 8) - 1
)

describe('a holder that is still fetching', () => {
  const closing: Array<() => Promise<unknown>> = []
  afterEach(async () => {
    await Promise.all(closing.splice(0).map(close => close()))
  })
  const start = async (options?: PeerOptions): Promise<Peer> => {
    const peer = await startPeer(options)
    closing.push(() => peer.close())
    return peer
  }
  const liarOf = async (truth: Peer, have: LyingMap, lacks: (asked: number) => boolean = () => false) => {
    let asked = 0
    const liar = await startLiar(
      truth,
      draft =>
        lacks(asked++)
          ? { ...draft, header: { id: draft.header.id!, status: WireStatus.NotFound }, bytes: [] }
          : draft,
      have
    )
    closing.push(async () => await liar.stop())
    return liar
  }

  it('serves what it has, and all of it in the end', async () => {
    const origin = await start({ store: slowed(4_000_000) })
    const record = await publish(origin, ENTRIES)
    const [middle, last] = [await start(), await start()]
    await last.library.registry.add(record.bytes)
    const [toOrigin, toMiddle] = [
      await introduce(middle.libp2p, origin.libp2p),
      await introduce(last.libp2p, middle.libp2p)
    ]
    const begun = Promise.withResolvers<void>()
    let isMiddleDone = false
    let gotBefore = 0
    const first = middle.fetcher
      .fetch({
        record: record.id,
        peers: [toOrigin],
        onProgress: ({ bytesFetched }) => {
          if (bytesFetched > 1_000_000) begun.resolve()
        }
      })
      .then(() => {
        isMiddleDone = true
      })
    await begun.promise
    // The last one knows only the middle one.
    const result = await last.fetcher.fetch({
      record: record.id,
      peers: [toMiddle],
      onProgress: ({ bytesFetched }) => {
        if (!isMiddleDone) gotBefore = bytesFetched
      }
    })
    await first
    expect(gotBefore / BODY.byteLength).toBeGreaterThan(0.3)
    expect(result.sources.map(({ peerId }) => peerId.toString())).toEqual([toMiddle.toString()])
    expect(await tarOf(last, record)).toEqual(await tarOf(origin, record))
    expect([...origin.violations, ...middle.violations, ...last.violations]).toEqual([])
  })

  it('serves also between its last block and its mark', async () => {
    const origin = await start()
    const record = await publish(origin, ENTRIES)
    const marking = Promise.withResolvers<void>()
    const mayMark = Promise.withResolvers<void>()
    const middle = await start({
      store: real =>
        overrideReceive(real, 'markComplete', receive => async (...args) => {
          marking.resolve()
          await mayMark.promise
          await receive.markComplete(...args)
        })
    })
    const last = await start()
    await last.library.registry.add(record.bytes)
    const peers = [await introduce(middle.libp2p, origin.libp2p)]
    const first = middle.fetcher.fetch({ record: record.id, peers })
    await marking.promise
    const toMiddle = [await introduce(last.libp2p, middle.libp2p)]
    const onProgress = ({ bytesFetched }: { bytesFetched: number }): void => {
      if (bytesFetched > 1_000_000) mayMark.resolve()
    }
    await last.fetcher.fetch({ record: record.id, peers: toMiddle, onProgress })
    await first
    expect(await tarOf(last, record)).toEqual(await tarOf(origin, record))
  })

  it('is refused when it has nothing and gets nothing', async () => {
    const origin = await start()
    const record = await publish(origin, ENTRIES)
    const [empty, consumer] = [await start(), await start()]
    await empty.library.registry.add(record.bytes)
    const peers = [await introduce(consumer.libp2p, empty.libp2p)]
    await expect(consumer.fetcher.fetch({ record: record.id, peers })).rejects.toMatchObject({
      code: 'NOT_FOUND'
    })
  })

  const WRONG_MAPS: Array<[string, Have]> = [
    ['of the wrong length', { manifest: true, units: new Uint8Array(1) }],
    ['with bits behind its end', { manifest: true, units: new Uint8Array(FULL.length).fill(255) }],
    ['that is empty', { manifest: true, units: new Uint8Array(0) }]
  ]
  it.each(WRONG_MAPS)('is left and reported for a map %s', async (_, have) => {
    const origin = await start()
    const record = await publish(origin, ENTRIES)
    const consumer = await start()
    await consumer.library.registry.add(record.bytes)
    const lying = await introduce(consumer.libp2p, await liarOf(origin, () => have))
    await expect(consumer.fetcher.fetch({ record: record.id, peers: [lying] })).rejects.toMatchObject({
      code: 'PROTOCOL_VIOLATION'
    })
    expect(consumer.violations.map(({ code }) => code)).toEqual(['PROTOCOL_VIOLATION'])
  })

  it('is left and reported for a map that is too long, before it is read', () => {
    const units = new Uint8Array(9000)
    const message = answerMessage.encode({ id: 0, have: { manifest: true, units } })
    expect(() => answerMessage.decode(message)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_VIOLATION' })
    )
    expect(encodeFrame([], message).byteLength).toBeLessThan(20_000)
  })

  it('is left when it does not have what it says, and the others bring it', async () => {
    const origin = await start({ store: slowed(8_000_000) })
    const record: ReleaseRecord = await publish(origin, ENTRIES)
    const consumer = await start()
    await consumer.library.registry.add(record.bytes)
    const lying = await introduce(
      consumer.libp2p,
      await liarOf(
        origin,
        () => ({ manifest: true, units: FULL }),
        asked => asked > 0
      )
    )
    const honest = await introduce(consumer.libp2p, origin.libp2p)
    const failed: string[] = []
    await consumer.fetcher.fetch({
      record: record.id,
      peers: [lying, honest],
      onSourceFailed: (peerId, { code }) => failed.push(`${peerId} ${code}`)
    })
    expect(failed).toEqual([`${lying} NOT_FOUND`])
    expect(await tarOf(consumer, record)).toEqual(await tarOf(origin, record))
  })

  it('may change what it says it has, and is asked for what it says last', async () => {
    const origin = await start({ store: slowed(4_000_000) })
    const record = await publish(origin, ENTRIES)
    const consumer = await start()
    await consumer.library.registry.add(record.bytes)
    let told = 0
    const changing = await liarOf(origin, () => ({
      manifest: true,
      units: FULL.map(bits => (told++ % 2 === 0 ? bits & 0x55 : bits & 0xaa))
    }))
    const peers = [
      await introduce(consumer.libp2p, changing),
      await introduce(consumer.libp2p, origin.libp2p)
    ]
    const result = await consumer.fetcher.fetch({ record: record.id, peers })
    expect(await tarOf(consumer, record)).toEqual(await tarOf(origin, record))
    expect(result.sources.length).toBe(2)
    expect(consumer.violations).toEqual([])
  })
})
