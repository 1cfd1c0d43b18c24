import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it } from 'vitest'
import { CatalogError, SECOND_MS, silentLogger } from '../../../base/index.ts'
import { type ExtraWay, MoreWays } from '../../../protocols/content/swarm/more-ways.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { cleanUpAfterEachTest, newKey } from '../host/hosts.ts'

cleanUpAfterEachTest()

it('opens what the plan asks for, closes what brings nothing or breaks, and everything at the end', async () => {
  const clock = new FakeClock()
  const peerId = peerIdFromString((await newKey()).peerId)
  const [running, retired, told] = [new Set<ExtraWay>(), new Set<Connection>(), [] as string[]]
  const over = new AbortController()
  const ways = new MoreWays(
    {
      opener: {
        maxWays: 4,
        hasRoom: true,
        open: async (_peer, way) => {
          if (way === 'tcp') throw new CatalogError('NOT_FOUND', 'no TCP')
          return {} as Connection
        },
        retire: connection => retired.add(connection)
      },
      clock,
      log: silentLogger,
      start: way => running.add(way),
      stop: way => running.delete(way),
      onOutcome: (way, outcome) => told.push(`${way} ${outcome}`)
    },
    over.signal
  )
  const live = async (seconds: number, rateOfEach: () => number): Promise<void> => {
    for (let tick = 0; tick < seconds * 10; tick++) {
      await clock.advance(SECOND_MS / 10)
      const keys = [peerId.toString(), ...[...running].map(({ key }) => key)]
      const newBytes = new Map(keys.map(key => [key, rateOfEach() / 10]))
      ways.look([{ peerId, roundTripMs: 20, newBytes }], 1e9)
      await clock.settle()
    }
  }
  const rate = (): number => 500_000
  await live(1.5, rate)
  expect(told).toEqual(['tcp failed', 'quic opened'])
  expect([...running].map(({ key }) => key)).toEqual([`${peerId}/1`])

  // The next one brings nothing: it goes, the first stays.
  await live(3, () => 1_000_000 / (1 + running.size))
  expect(told.slice(2)).toEqual(['quic opened', 'quic dropped'])
  expect(running.size).toBe(1)
  expect(retired.size).toBe(1)

  const [left] = running
  running.clear()
  ways.ended(left!.key)
  expect(retired).toContain(left!.connection)
  await live(5, rate)
  expect(told).toHaveLength(4)

  await clock.advance(6 * 60 * SECOND_MS)
  await live(3, rate)
  expect(running.size).toBeGreaterThan(0)
  over.abort()
  await ways.close()
  for (const { connection } of running) expect(retired).toContain(connection)
})
