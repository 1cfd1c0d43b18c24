import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { describe, expect, it } from 'vitest'
import { type CatalogError, DAY_MS, HOUR_MS, MIB, silentLogger } from '../../../base/index.ts'
import { signReceipt } from '../../../ledger/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { PeerLedger } from '../../../node/services/peer-ledger.ts'
import { Receipts } from '../../../node/services/receipts.ts'
import { declareMessage, declareRequest, giveReceipt, showReceipts } from '../../../protocols/index.ts'
import * as generated from '../../../protocols/receipts/messages.js'
import { nodeKeyOf, SigningKey } from '../../../trust/index.ts'
import { openMemory } from '../registry/databases.ts'
import { type Side, side } from './control-side.ts'
import { createNode, introduce } from './nodes.ts'

const signal = AbortSignal.timeout(60_000)
const OPEN = { id: 'open' } as unknown as ReleaseRecord
const CLOSED = { id: 'closed' } as unknown as ReleaseRecord
const empty = declareMessage('nothing', generated.GiveReceiptResponse, { minBytes: 0, maxBytes: 16 })
/** Gets a control stream opened. */
const greet = declareRequest({
  method: 1000,
  name: 'test.greet',
  request: empty,
  response: empty,
  timeoutMs: 5000
})

interface Actor extends Side {
  key: SigningKey
  peer: string
  ledger: PeerLedger
  receipts: Receipts
  /** What was reported of peers about their receipts. */
  reported: string[]
}

/** What all of them share: a clock of receipts that stands still, and where each is. */
interface World {
  nowMs: number
  networks: Map<string, string>
  actors: Actor[]
}

async function actor(world: World, network: string): Promise<Actor> {
  const key = SigningKey.generate()
  const libp2p = await createNode(privateKeyFromProtobuf(nodeKeyOf(key).protobuf))
  const { control, ...rest } = await side(libp2p)
  const clock = {
    now: () => world.nowMs,
    monotonicMs: () => world.nowMs,
    wait: () => new Promise<void>(() => {})
  }
  const ledger = await PeerLedger.open(
    {
      database: await openMemory(),
      registry: { isOpen: record => record === OPEN },
      sets: { evidence: async () => [] },
      networkOf: peerId => world.networks.get(peerId),
      clock,
      logger: silentLogger
    },
    { halfLifeMs: 7 * DAY_MS, isWeighing: true }
  )
  const reported: string[] = []
  const receipts = new Receipts({
    control,
    ledger,
    key,
    connected: () => libp2p.getPeers(),
    onViolation: (_, { code }: CatalogError) => reported.push(code),
    clock,
    logger: silentLogger
  })
  control.handle(greet, () => ({}))
  const peer = libp2p.peerId.toString()
  world.networks.set(peer, network)
  const made = { ...rest, control, key, peer, ledger, receipts, reported }
  world.actors.push(made)
  return made
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const world: World = { nowMs: 1_800_000_000_000, networks: new Map(), actors: [] }
  try {
    await run(world)
  } finally {
    await Promise.all(world.actors.map(({ control }) => control.stop()))
    await Promise.all(world.actors.map(({ libp2p }) => libp2p.stop()))
  }
}

async function connect(from: Actor, to: Actor): Promise<void> {
  await from.control.request(await introduce(from.libp2p, to.libp2p), greet, {})
}

/** The taker took from the giver, as both measured it. */
function transfer(giver: Actor, taker: Actor, bytes: number, record = OPEN): void {
  giver.ledger.sent(taker.peer, record, bytes)
  taker.ledger.received(giver.peer, record, bytes)
}

describe('receipts between nodes', () => {
  it('lift who gave to a third, with a node that values that third', async () => {
    await withWorld(async world => {
      const giver = await actor(world, '04c00002')
      const taker = await actor(world, '04c00003')
      const reader = await actor(world, '04c00004')
      transfer(giver, taker, 100 * MIB)
      transfer(taker, reader, 1000 * MIB)
      await connect(taker, giver)
      await connect(reader, giver)
      await reader.receipts.exchange(signal)
      expect(reader.ledger.view.receiptsOf(giver.peer)).toEqual({ shown: 0, adds: 0 })
      await taker.receipts.exchange(signal)
      const [first] = giver.receipts.shown()
      // Asked just now, and too little was taken for another one.
      transfer(giver, taker, 15 * MIB)
      world.nowMs += HOUR_MS - 1
      await Promise.all([taker, reader].map(({ receipts }) => receipts.exchange(signal)))
      expect(reader.ledger.view.scoreOf(giver.peer)).toBe(0.5)
      world.nowMs += 1
      await Promise.all([taker, reader].map(({ receipts }) => receipts.exchange(signal)))
      expect(giver.receipts.shown()).toEqual([first])
      const { shown, adds } = reader.ledger.view.receiptsOf(giver.peer)
      expect(shown).toBe(1)
      expect(adds).toBeGreaterThan(0.005)
      expect(reader.ledger.view.scoreOf(giver.peer)).toBeCloseTo(0.5 + adds, 9)
      // The taker measured the giver itself.
      expect(taker.ledger.view.receiptsOf(giver.peer)).toEqual({ shown: 0, adds: 0 })
      transfer(giver, taker, MIB)
      await taker.receipts.exchange(signal)
      expect(giver.receipts.shown()).not.toEqual([first])
      expect(world.actors.flatMap(({ reported, violations }) => [...reported, ...violations])).toEqual([])
    })
  })

  it('are of nothing that is only in closed libraries, and of one signer of each network', async () => {
    await withWorld(async world => {
      const giver = await actor(world, '04c00002')
      const takers = [
        await actor(world, '04c00003'),
        await actor(world, '04c00003'),
        await actor(world, '04c00004')
      ]
      for (const taker of takers) await connect(taker, giver)
      for (const taker of takers) transfer(giver, taker, 100 * MIB, CLOSED)
      await Promise.all(takers.map(({ receipts }) => receipts.exchange(signal)))
      expect(giver.receipts.shown()).toEqual([])
      for (const taker of takers) transfer(giver, taker, 100 * MIB)
      await Promise.all(takers.map(({ receipts }) => receipts.exchange(signal)))
      expect(giver.receipts.shown()).toHaveLength(2)
      world.nowMs += 7 * DAY_MS
      expect(giver.receipts.shown()).toEqual([])
    })
  })

  it('that no honest node gives are refused and reported, and others passed over', async () => {
    await withWorld(async world => {
      const giver = await actor(world, '04c00002')
      const taker = await actor(world, '04c00003')
      await connect(taker, giver)
      const own = (over: { giver?: Uint8Array; nowMs?: number; bytes?: number } = {}, key = taker.key) =>
        Uint8Array.from(
          signReceipt(
            { giver: giver.key.publicKey, bytes: MIB, ...over },
            { nowMs: world.nowMs, ...over },
            key
          ).bytes
        )
      const give = async (receipt: Uint8Array): Promise<unknown> => {
        // Each has its turn.
        world.nowMs += HOUR_MS
        return await taker.control.request(giver.libp2p.peerId, giveReceipt, { receipt }, { signal })
      }
      // Of who was given nothing.
      await give(own())
      expect(giver.receipts.shown()).toEqual([])
      transfer(giver, taker, 100 * MIB)
      const [early, late] = [own({ bytes: 3 }), own({ bytes: 2, nowMs: world.nowMs + 1 })]
      await give(late)
      await give(early)
      expect(giver.receipts.shown()).toEqual([late])
      await give(own({ nowMs: world.nowMs - 8 * DAY_MS }))
      await give(own({ nowMs: world.nowMs + DAY_MS }))
      expect(giver.receipts.shown()).toEqual([late])
      expect(giver.reported).toEqual([])

      const forged = Uint8Array.from(own())
      forged[forged.byteLength - 1]! ^= 1
      await expect(give(forged)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await expect(give(new Uint8Array(100))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await expect(give(own({ giver: SigningKey.generate().publicKey }))).rejects.toThrow()
      await expect(give(own({}, SigningKey.generate()))).rejects.toThrow()
      expect(giver.receipts.shown()).toEqual([late])
      expect(giver.reported).toEqual([
        'SIGNATURE_INVALID',
        'RECEIPT_INVALID',
        'PROTOCOL_VIOLATION',
        'PROTOCOL_VIOLATION'
      ])
      // As many at once as there may be, and one more.
      world.nowMs += DAY_MS
      const request = { receipt: own() }
      const again = () => taker.control.request(giver.libp2p.peerId, giveReceipt, request, { signal })
      for (let times = 0; times < 4; times++) await again()
      await expect(again()).rejects.toMatchObject({ code: 'BUSY' })
      expect(giver.violations).toEqual([])
    })
  })

  it('that are too long cut the stream', async () => {
    await withWorld(async world => {
      const [giver, liar] = [await actor(world, ''), await actor(world, '')]
      await connect(liar, giver)
      const unbounded = declareRequest({
        ...giveReceipt,
        request: declareMessage('a long receipt', generated.GiveReceiptRequest, {
          minBytes: 0,
          maxBytes: 9999
        })
      })
      await expect(
        liar.control.request(giver.libp2p.peerId, unbounded, { receipt: new Uint8Array(513) }, { signal })
      ).rejects.toThrow()
      expect(giver.violations.map(({ code }) => code)).toEqual(['PROTOCOL_VIOLATION'])
    })
  })

  it('are believed none of an answer in which one is for somebody else', async () => {
    await withWorld(async world => {
      const reader = await actor(world, '04c00002')
      const signer = await actor(world, '04c00003')
      transfer(signer, reader, 1000 * MIB)
      const key = SigningKey.generate()
      const libp2p = await createNode(privateKeyFromProtobuf(nodeKeyOf(key).protobuf))
      const liar = await side(libp2p)
      try {
        const of = (giver: Uint8Array) =>
          signReceipt({ giver, bytes: 1000 * MIB }, { nowMs: world.nowMs }, signer.key).bytes
        let receipts = [of(key.publicKey), of(SigningKey.generate().publicKey)]
        liar.control.handle(showReceipts, () => ({ receipts }))
        liar.control.handle(greet, () => ({}))
        await reader.control.request(await introduce(reader.libp2p, libp2p), greet, {})
        await reader.receipts.exchange(signal)
        expect(reader.reported).toEqual(['PROTOCOL_VIOLATION'])
        expect(reader.ledger.view.receiptsOf(libp2p.peerId.toString())).toEqual({ shown: 0, adds: 0 })
        // One signer counts once, however often it signed.
        receipts = [of(key.publicKey), of(key.publicKey)]
        world.nowMs += HOUR_MS
        await reader.receipts.exchange(signal)
        expect(reader.ledger.view.receiptsOf(libp2p.peerId.toString())).toMatchObject({ shown: 1 })
      } finally {
        await liar.control.stop()
        await libp2p.stop()
      }
    })
  })
})
