import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import * as generated from '../../../protocols/control/messages.js'
import {
  askProbe,
  declareMessage,
  declareRequest,
  encodeFrame,
  probePeers,
  serveProbes
} from '../../../protocols/index.ts'
import { eventually } from '../../eventually.ts'
import { type Side, side } from './control-side.ts'
import { introduce, withNodes } from './nodes.ts'

const PROTOCOL = '/catalog/test/control/1'
const hello = encodeFrame(
  [0],
  generated.Hello.encode({ version: 1, agent: 'x', maxInFlight: 8, instance: new Uint8Array(8) })
)
const nothing = declareMessage('nothing', generated.Cancel, { minBytes: 0, maxBytes: 16 })
/** Gets a control stream opened. */
const greet = declareRequest({
  method: 1000,
  name: 'test.greet',
  request: nothing,
  response: nothing,
  timeoutMs: 2000
})
const signal = AbortSignal.timeout(30_000)
/** Of no node. */
const NOBODY = peerIdFromString('12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp')

interface Scene {
  asker: Side
  prober: Side
  /** Connected to the prober, and answers it. */
  lively: Side
  /** Connected to the prober, and never says anything after its hello. */
  mute: Libp2p
  /** Of whom the prober knows where it listens, and no more. */
  strange: Libp2p
  lost: Set<string>
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withNodes(5, async nodes => {
    const [asker, prober, lively] = (await Promise.all(nodes.slice(0, 3).map(node => side(node)))) as [
      Side,
      Side,
      Side
    ]
    const [mute, strange] = nodes.slice(3) as [Libp2p, Libp2p]
    await mute.handle(PROTOCOL, stream => void stream.send(hello))
    const lost = new Set<string>()
    serveProbes({
      control: prober.control,
      clock: prober.clock,
      hasFallenSilent: peerId => lost.has(peerId),
      roundTripMs: () => 12.3,
      expectServing: () => undefined
    })
    lively.control.handle(greet, () => ({}))
    await prober.control.request(await introduce(prober.libp2p, lively.libp2p), greet, { id: 1 })
    void prober.control.request(await introduce(prober.libp2p, mute), greet, { id: 1 }).catch(() => undefined)
    await eventually(() => prober.control.hello(mute.peerId) !== undefined)
    await introduce(prober.libp2p, strange)
    await introduce(asker.libp2p, prober.libp2p)
    try {
      await run({ asker, prober, lively, mute, strange, lost })
    } finally {
      await Promise.all([asker, prober, lively].map(({ control }) => control.stop()))
    }
  })
}

const verdicts = async (
  { asker, prober }: Scene,
  ...peers: Array<Pick<Libp2p, 'peerId'>>
): Promise<string[]> =>
  (
    await askProbe(
      asker.control,
      prober.libp2p.peerId,
      peers.map(({ peerId }) => peerId),
      signal
    )
  ).map(({ verdict }) => verdict)

describe('a probe', () => {
  it('tells who answers, who does not, and nothing of those that are not there', async () => {
    await withScene(async scene => {
      const { prober, lively, mute, strange } = scene
      // Heard just now, all of them.
      const said = await askProbe(
        scene.asker.control,
        prober.libp2p.peerId,
        [lively.libp2p.peerId, NOBODY],
        signal
      )
      expect(said).toEqual([
        { verdict: 'reached', roundTripMs: 13 },
        { verdict: 'unknown', roundTripMs: 0 }
      ])
      // Nothing was heard for a while: they are asked.
      await prober.clock.advance(3500, 3500)
      expect(await verdicts(scene, mute, lively.libp2p, strange)).toEqual(['silent', 'reached', 'unknown'])
      expect(prober.roundTrips.length).toBeGreaterThan(0)
    })
  })

  it('dials nobody', async () => {
    await withScene(async scene => {
      const { prober, strange, asker } = scene
      expect(await verdicts(scene, strange, { peerId: NOBODY })).toEqual(['unknown', 'unknown'])
      expect(prober.libp2p.getConnections(strange.peerId)).toEqual([])
      await expect(prober.control.ping(strange.peerId, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(prober.libp2p.getConnections(strange.peerId)).toEqual([])
      expect(asker.violations).toEqual([])
    })
  })

  it('tells that a peer fell silent lately', async () => {
    await withScene(async scene => {
      scene.lost.add(NOBODY.toString())
      expect(await verdicts(scene, { peerId: NOBODY })).toEqual(['silent'])
    })
  })

  it('of many peers, again and again, is answered BUSY', async () => {
    await withScene(async ({ asker, prober }) => {
      const many = Array.from({ length: 16 }, () => NOBODY)
      const ask = (): Promise<unknown> => askProbe(asker.control, prober.libp2p.peerId, many, signal)
      for (let times = 0; times < 4; times++) await ask()
      await expect(ask()).rejects.toMatchObject({ code: 'BUSY' })
      expect(prober.violations).toEqual([])
    })
  })

  it('of too many peers, and answers of too many, break the protocol', async () => {
    await withScene(async ({ asker, prober, lively }) => {
      const tooMany = Array.from({ length: 17 }, () => NOBODY)
      await expect(askProbe(asker.control, prober.libp2p.peerId, tooMany, signal)).rejects.toBeInstanceOf(
        CatalogError
      )
      lively.control.handle(probePeers, () => ({ answers: [] }))
      await introduce(asker.libp2p, lively.libp2p)
      await expect(askProbe(asker.control, lively.libp2p.peerId, [NOBODY], signal)).rejects.toMatchObject({
        code: 'PROTOCOL_VIOLATION'
      })
    })
  })
})

it('a ping ends with its stream, and two at once share one', async () => {
  await withScene(async ({ prober, lively, mute }) => {
    const pings = [1, 2].map(() => prober.control.ping(lively.libp2p.peerId, signal))
    await Promise.all(pings)
    expect(prober.roundTrips).toHaveLength(1)
    const unanswered = expect(prober.control.ping(mute.peerId, signal)).rejects.toMatchObject({
      code: 'TIMEOUT'
    })
    await prober.clock.advance(8000)
    await unanswered
    expect(prober.control.heardMs(mute.peerId)).toBeUndefined()
  })
})

it('who stood still itself does not take a peer for dead', async () => {
  await withScene(async ({ prober, mute, lively }) => {
    await prober.clock.advance(250)
    // A ping waits for its answer when everything stops for a minute.
    await prober.clock.advance(60_000, 60_000)
    await prober.clock.advance(1000)
    expect(prober.violations).toEqual([])
    expect(prober.control.heardMs(mute.peerId)).toBeDefined()
    await prober.clock.advance(5000)
    expect(prober.violations.map(({ code }) => code)).toEqual(['TIMEOUT'])
    expect(prober.control.heardMs(lively.libp2p.peerId)).toBeDefined()
  })
})
