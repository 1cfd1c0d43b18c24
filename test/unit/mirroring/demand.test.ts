/** What a node counts of what it serves, and what it tells and hears of that. */
import type { PeerId } from '@libp2p/interface'
import { beforeEach, describe, expect, test } from 'vitest'
import { type CatalogError, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import { createReleaseRecord, type IndexEntry, type ReleaseRecord } from '../../../library/index.ts'
import { decodeSummary, MAX_SUMMARY_BYTES, signSummary } from '../../../mirror/index.ts'
import { CountedDemand } from '../../../node/services/mirroring/counted-demand.ts'
import { tellDemand } from '../../../protocols/index.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { ControlNet } from './control-net.ts'

const releaseOf = (name: string, sizeBytes = 1000): ReleaseRecord =>
  createReleaseRecord(small({ name, content: contentOf(name), sizeBytes }), keyOf('ada'))
const [OPEN, CLOSED, BLOCKED] = ['open', 'closed', 'blocked'].map(name => releaseOf(name)) as [
  ReleaseRecord,
  ReleaseRecord,
  ReleaseRecord
]
const nameOf = ({ release }: ReleaseRecord): string => release.content.toString()

let clock: FakeClock
let net: ControlNet
beforeEach(() => {
  clock = new FakeClock()
  net = new ControlNet()
})

interface Node {
  demand: CountedDemand
  peerId: PeerId
  violations: string[]
  changes: string[][]
}

function nodeOf(
  name: string,
  over: { database?: MemoryDatabase; networks?: Map<string, string> } = {}
): Node {
  const key = keyOf(name)
  const { control, connected, peerId } = net.join(key)
  const violations: string[] = []
  const networkOf = (other: PeerId): string | undefined => over.networks?.get(other.toString())
  const demand = CountedDemand.open(
    {
      ...{ control, connected, key, clock, networkOf, logger: silentLogger },
      database: over.database ?? new MemoryDatabase(),
      originOf: other => networkOf(other) ?? other.toString(),
      scoreOf: () => 0.5,
      registry: {
        async *naming(contents) {
          for (const record of [OPEN, CLOSED, BLOCKED])
            if (contents.some(content => content.equals(record.release.content)))
              yield { ...record.release, isClosed: record === CLOSED } as unknown as IndexEntry
        }
      },
      isShown: ({ isClosed, name: of }) => !isClosed && of !== 'blocked',
      onViolation: (_, { code }: CatalogError) => void violations.push(code)
    },
    { halfLifeMs: 24 * HOUR_MS }
  )
  const changes: string[][] = []
  demand.onChange(contents => void changes.push([...contents]))
  return { demand, peerId, violations, changes }
}

const peer = (name: string): PeerId => net.join(keyOf(name)).peerId

describe('what is served', () => {
  test('counts by the part of the content that one takes, once for each that asks', () => {
    const { demand, changes } = nodeOf('a')
    const [bob, eve] = [peer('bob'), peer('eve')]
    for (let at = 0; at < 5; at++) demand.sent(bob, OPEN, 100)
    expect(demand.demandOf(nameOf(OPEN))).toEqual({ count: 0.5, askers: 1, lastMs: clock.now() })
    demand.sent(bob, OPEN, 5000)
    demand.sent(eve, OPEN, 250)
    demand.sent(eve, CLOSED, 1000)
    expect(demand.demandOf(nameOf(OPEN))).toMatchObject({ count: 1.25, askers: 2 })
    expect(demand.wanted(9)).toEqual([nameOf(OPEN), nameOf(CLOSED)])
    expect(demand.wanted(1)).toEqual([nameOf(OPEN)])
    expect(changes).toEqual([[nameOf(OPEN)], [nameOf(OPEN), nameOf(CLOSED)]])
    expect(demand.demandOf('nothing')).toEqual({ count: 0, askers: 0, lastMs: undefined })
  })

  test('counts once for a network, however many peers ask from it', () => {
    const peers = Array.from({ length: 9 }, (_, at) => peer(`p${at}`))
    const networks = new Map(peers.map(of => [of.toString(), 'one']))
    const { demand } = nodeOf('a', { networks })
    for (const of of peers) demand.sent(of, OPEN, 1000)
    expect(demand.demandOf(nameOf(OPEN))).toMatchObject({ count: 1, askers: 1 })
  })

  test('counts an empty content, and more peers than are kept waiting', () => {
    const { demand } = nodeOf('a')
    const empty = releaseOf('empty', 0)
    demand.sent(peer('bob'), empty, 80)
    for (let at = 0; at < 1100; at++) demand.sent({ toString: () => `peer ${at}` } as PeerId, OPEN, 1000)
    expect(demand.demandOf(nameOf(empty)).count).toBe(1)
    expect(demand.demandOf(nameOf(OPEN)).count).toBeCloseTo(1100)
  })

  test('outlives a restart, fading; what cannot be read begins anew', async () => {
    const database = new MemoryDatabase()
    const { demand } = nodeOf('a', { database })
    demand.start()
    for (const name of ['bob', 'eve']) demand.sent(peer(name), OPEN, 1000)
    await demand.stop()
    expect(database.writes).toBe(1)
    await clock.advance(24 * HOUR_MS)
    const again = nodeOf('a', { database }).demand
    expect(again.demandOf(nameOf(OPEN))).toMatchObject({ count: 1, askers: 2 })
    again.start()
    await again.stop()
    expect(database.writes, 'nothing has changed').toBe(1)
    const [row] = database.rows.keys()
    database.rows.set(row!, Uint8Array.of(1))
    expect(nodeOf('a', { database }).demand.demandOf(nameOf(OPEN)).count).toBe(0)
  })
})

describe('a summary', () => {
  test('goes to all peers after some minutes and once an hour, without what is closed or blocked', async () => {
    const [a, b, c] = [nodeOf('a'), nodeOf('b'), nodeOf('c')]
    a.demand.start()
    await clock.advance(10 * MINUTE_MS)
    expect([net.asked, a.demand.summary()], 'nothing is counted').toEqual([[], undefined])
    const bob = peer('bob')
    net.away.add(bob.toString())
    for (const record of [OPEN, CLOSED, BLOCKED]) a.demand.sent(bob, record, 1000)
    await clock.advance(HOUR_MS)
    expect(net.asked).toEqual([tellDemand.name, tellDemand.name])
    const { counts, sequence } = decodeSummary(a.demand.summary()!)
    expect(counts.map(({ content }) => content.toString())).toEqual([nameOf(OPEN)])
    for (const { demand, changes, violations } of [b, c]) {
      // Of a newcomer's standing.
      expect(demand.demandOf(nameOf(OPEN)).count).toBeCloseTo(0.6, 1)
      expect(demand.demandOf(nameOf(CLOSED)).count).toBe(0)
      expect(demand.wanted(3)).toEqual([nameOf(OPEN)])
      expect([changes, violations]).toEqual([[[nameOf(OPEN)]], []])
      expect(demand.summary(), 'what others say is not told on').toBeUndefined()
    }
    await clock.advance(HOUR_MS)
    expect(net.asked).toHaveLength(4)
    expect(decodeSummary(a.demand.summary()!).sequence).toBeGreaterThan(sequence)
    await a.demand.stop()
  })

  test('is taken from the node that signed it only, once, and lies are reported', async () => {
    const honest = nodeOf('honest')
    const { control, peerId } = net.join(keyOf('liar'))
    const tell = (summary: Uint8Array): Promise<unknown> =>
      control.request(honest.peerId, tellDemand, { summary })
    const counts = [{ content: OPEN.release.content, count: 5 }]
    const mine = signSummary(counts, clock.now(), keyOf('liar')).bytes
    const forged = Uint8Array.from(mine)
    forged[forged.byteLength - 1]! ^= 1
    for (const bad of [
      Uint8Array.of(1, 2, 3, 4),
      forged,
      signSummary(counts, clock.now(), keyOf('other')).bytes
    ])
      await expect(tell(bad)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(honest.violations).toEqual(['DEMAND_INVALID', 'SIGNATURE_INVALID', 'DEMAND_INVALID'])
    expect(honest.demand.wanted(1)).toEqual([])
    expect(() => honest.demand.hearSummary(peerId, forged)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' })
    )
    await tell(mine)
    await tell(mine)
    expect(honest.changes).toHaveLength(1)
    await tell(mine)
    await expect(tell(mine), 'so many in ten minutes').rejects.toMatchObject({ code: 'BUSY' })
    expect(() => tellDemand.request.decode(new Uint8Array(MAX_SUMMARY_BYTES + 9))).toThrow()
    expect(honest.violations).toHaveLength(3)
  })
})
