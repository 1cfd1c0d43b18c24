/** Releases that nodes tell each other for mirroring: offers of who leaves, and what the contents of a summary are. */
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { createReleaseRecord, type ReleaseRecord } from '../../../library/index.ts'
import { ReleaseOffers } from '../../../node/services/mirroring/release-offers.ts'
import {
  askWanted,
  createControl,
  OFFER_RATE,
  offerRelease,
  serveWanted,
  wantedReleases
} from '../../../protocols/index.ts'
import { MAX_RECORDS_PER_CONTENT, WANTED_RATE } from '../../../protocols/mirror/releases.ts'
import { NONE_HERE_MS, NOT_HERE_MS } from '../../../protocols/wire/not-here.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { introduce, withNodes } from '../protocols/nodes.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { ControlNet } from './control-net.ts'

const { signal } = new AbortController()
const releaseOf = (name: string, content = name, description = 'short'): ReleaseRecord =>
  createReleaseRecord(small({ name, content: contentOf(content), description }), keyOf('ada'))
const OPEN = releaseOf('open')
const CLOSED = releaseOf('closed')

let clock: FakeClock
let net: ControlNet
let asker: ReturnType<ControlNet['join']>
let peer: ReturnType<ControlNet['join']>
let violations: string[]
beforeEach(() => {
  clock = new FakeClock()
  net = new ControlNet()
  asker = net.join(keyOf('asker'))
  peer = net.join(keyOf('peer'))
  violations = []
})
const onViolation = (_: PeerId, { code }: CatalogError): void => void violations.push(code)

describe('an offer', () => {
  let isServing: boolean
  let members: Set<string>
  let offered: ReleaseRecord[]
  const offersOf = ({ control }: typeof asker): ReleaseOffers =>
    new ReleaseOffers({
      ...{ control, clock, onViolation },
      isMember: id => members.has(id.toString()),
      mayRead: (_, record) => record.release.name !== 'closed',
      expectServing: () => {
        if (!isServing) throw new CatalogError('BUSY', 'paused')
      }
    })
  const offer = async (record: ReleaseRecord): Promise<string> =>
    (await clock.during(offersOf(asker).offer(peer.peerId, record, signal))).value

  beforeEach(() => {
    members = new Set([asker.peerId.toString()])
    offered = []
    isServing = true
  })

  function takerThat(takes: boolean): void {
    offersOf(peer).onOffer(async (from, record) => {
      expect(from.equals(asker.peerId)).toBe(true)
      offered.push(record)
      return takes
    })
  }

  test('of a member is decided by who takes it, from the verified record', async () => {
    takerThat(true)
    expect(await offer(OPEN)).toBe('accepted')
    expect(offered.map(({ id }) => id.toString())).toEqual([OPEN.id.toString()])
    takerThat(false)
    expect(await offer(OPEN)).toBe('refused')
    offersOf(peer)
    expect(await offer(OPEN), 'nobody decides').toBe('refused')
  })

  test('of who is no member is not looked at', async () => {
    takerThat(true)
    members.clear()
    expect(await offer(OPEN)).toBe('refused')
    const { control } = asker
    await clock.during(control.request(peer.peerId, offerRelease, { record: Uint8Array.of(1, 2, 3, 4) }))
    expect([offered, violations]).toEqual([[], []])
  })

  test('of what the other may not read is not made, nor heard, and is refused no sooner than another', async () => {
    takerThat(false)
    expect(await offer(CLOSED)).toBe('refused')
    expect(net.asked).toEqual([])
    const ask = ({ bytes }: ReleaseRecord) =>
      clock.during(asker.control.request(peer.peerId, offerRelease, { record: bytes }))
    const [closed, open] = [await ask(CLOSED), await ask(OPEN)]
    expect(closed).toEqual(open)
    expect(closed.tookMs).toBeGreaterThanOrEqual(NOT_HERE_MS)
    expect(offered).toHaveLength(1)
  })

  test('with a forged record is reported; none is heard while paused, nor more than the rate', async () => {
    takerThat(true)
    const forged = Uint8Array.from(OPEN.bytes)
    forged[forged.byteLength - 1]! ^= 1
    const tell = (record: Uint8Array): Promise<unknown> =>
      asker.control.request(peer.peerId, offerRelease, { record })
    await expect(tell(forged)).rejects.toThrow()
    expect(violations).toHaveLength(1)
    isServing = false
    await expect(tell(OPEN.bytes)).rejects.toMatchObject({ code: 'BUSY' })
    isServing = true
    await expect(
      (async () => {
        for (let at = 0; at <= OFFER_RATE.burst; at++) await tell(OPEN.bytes)
      })()
    ).rejects.toMatchObject({ code: 'BUSY' })
    expect(offered).toHaveLength(OFFER_RATE.burst - 1)
    expect(violations).toHaveLength(1)
  })
})

describe('releases by their contents', () => {
  const serve = (records: readonly ReleaseRecord[], { control }: Pick<typeof peer, 'control'> = peer): void =>
    serveWanted({
      ...{ control, clock },
      async *recordsNaming(contents) {
        for (const record of records)
          if (contents.some(content => content.equals(record.release.content))) yield record
      }
    })
  const ask = async (contents: readonly CID[]): Promise<string[]> => {
    const { control } = asker
    const { value } = await clock.during(
      askWanted({ control, onViolation }, peer.peerId, contents, signal),
      NONE_HERE_MS
    )
    return value.map(({ release }) => release.name)
  }

  test('come of those that are here, a few of each, in any number of questions', async () => {
    const many = Array.from({ length: 9 }, (_, at) => releaseOf(`same-${at}`, 'same'))
    serve([...many, OPEN])
    const unknown = Array.from({ length: 40 }, (_, at) => contentOf(`unknown ${at}`))
    const names = await ask([contentOf('same'), ...unknown, contentOf('open')])
    expect(names).toEqual([
      ...many.slice(0, MAX_RECORDS_PER_CONTENT).map(({ release }) => release.name),
      'open'
    ])
    expect(net.asked).toHaveLength(2)
    expect(violations).toEqual([])
  })

  test('come as far as one answer has room', async () => {
    const large = Array.from({ length: 64 }, (_, at) =>
      releaseOf(`large-${at}`, `of ${at % 16}`, 'x'.repeat(4000))
    )
    serve(large)
    const names = await ask(large.slice(0, 16).map(({ release }) => release.content))
    expect(names.length).toBeGreaterThan(50)
    expect(names.length).toBeLessThan(64)
  })

  test('that are not here are told of late, and nobody asks more often than the rate', async () => {
    serve([])
    const { control } = asker
    const { tookMs } = await clock.during(
      control.request(peer.peerId, wantedReleases, { contents: [OPEN.release.content.bytes] })
    )
    expect(tookMs).toBeGreaterThanOrEqual(NONE_HERE_MS)
    await expect(
      (async () => {
        for (let at = 0; at < WANTED_RATE.burst; at++) await ask([OPEN.release.content])
      })()
    ).rejects.toMatchObject({ code: 'BUSY' })
  })

  test.each([
    ['not asked for', CLOSED.bytes],
    [
      'forged',
      Uint8Array.from(OPEN.bytes, (byte, at) => (at === OPEN.bytes.byteLength - 1 ? byte ^ 1 : byte))
    ]
  ])('that are %s are reported, and none is believed', async (_, lie) => {
    peer.control.handle(wantedReleases, () => ({ records: [OPEN.bytes, lie] }))
    await expect(ask([OPEN.release.content])).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    expect(violations).toEqual(['PROTOCOL_VIOLATION'])
  })

  test('come over QUIC', async () => {
    await withNodes(2, async ([first, second]) => {
      const [here, there] = [first!, second!].map(libp2p =>
        createControl(
          { libp2p, log: silentLogger, clock: systemClock },
          { networkId: 'test', agent: 'test/1' }
        )
      )
      await Promise.all([here!.start(), there!.start()])
      serve([OPEN], { control: there! })
      const to = await introduce(first!, second!)
      const found = await askWanted({ control: here!, onViolation }, to, [OPEN.release.content], signal)
      expect(found.map(({ id }) => id.toString())).toEqual([OPEN.id.toString()])
      await Promise.all([here!.stop(), there!.stop()])
    })
  })
})
