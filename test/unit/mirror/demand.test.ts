/** What is wanted: counts that decay, and that nobody can make up. */

import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { networkOf } from '../../../discovery/index.ts'
import { combine } from '../../../mirror/demand/reports.ts'
import {
  DEFAULT_HALF_LIFE_MS,
  DemandCounter,
  DemandReports,
  decodeCounts,
  decodeSummary,
  demandFor,
  encodeCounts,
  mostWanted,
  originOf,
  type Reporter,
  signSummary,
  summarise
} from '../../../mirror/index.ts'
import { codeOf, keyOf } from '../records/examples.ts'
import { contentOf, hashOf, NOW_MS } from './support.ts'

const halfLifeMs = DEFAULT_HALF_LIFE_MS
const salt = hashOf('salt')
const name = (text: string): string => contentOf(text).toString()
const counterOf = (maxCounted?: number): DemandCounter =>
  new DemandCounter({ halfLifeMs, salt, ...(maxCounted === undefined ? {} : { maxCounted }) })
const fetchOf = (content: string, origin: string, share = 1) => ({ content: name(content), origin, share })

describe('a count', () => {
  test('halves with every half-life', () => {
    const counter = counterOf()
    for (const origin of ['a', 'b', 'c', 'd']) expect(counter.add(fetchOf('x', origin), NOW_MS)).toBe(1)
    expect(counter.of(name('x'), NOW_MS)?.count).toBe(4)
    expect(counter.of(name('x'), NOW_MS + halfLifeMs)?.count).toBeCloseTo(2, 9)
    expect(counter.of(name('x'), NOW_MS + 1000 * halfLifeMs)?.count).toBeLessThan(1e-200)
    counter.add(fetchOf('x', 'e'), NOW_MS + 1000 * halfLifeMs)
    expect(counter.of(name('x'), NOW_MS + 1000 * halfLifeMs)?.count).toBeCloseTo(1, 9)
    // A clock that goes back makes nothing larger.
    expect(counter.of(name('x'), NOW_MS)!.count).toBeLessThan(1.0001)
  })

  test('has one origin once in a half-life, and parts of fetches as parts', () => {
    const counter = counterOf()
    expect(counter.add(fetchOf('x', 'a', 0.25), NOW_MS)).toBe(0.25)
    expect(counter.add(fetchOf('x', 'a', 2), NOW_MS)).toBe(0.75)
    expect(counter.add(fetchOf('x', 'a'), NOW_MS)).toBe(0)
    expect(counter.add(fetchOf('x', 'a'), NOW_MS + halfLifeMs)).toBeCloseTo(0.5, 9)
    expect(counter.add(fetchOf('y', 'a', -1), NOW_MS)).toBe(0)
    expect(counter.of(name('x'), NOW_MS + halfLifeMs)).toMatchObject({ isWide: false })
  })

  test('of one origin never is more than 1 and a sixteenth, whatever it fetches and when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(48 * HOUR_MS))),
        fetches => {
          const counter = counterOf()
          let nowMs = NOW_MS
          for (const [content, share, waitMs] of fetches) {
            nowMs += waitMs
            counter.add(fetchOf(`c${content}`, 'liar', share), nowMs)
            for (let at = 0; at < 4; at++)
              expect(counter.of(name(`c${at}`), nowMs)?.count ?? 0).toBeLessThan(1 + 1 / 16 + 1e-9)
          }
        }
      ),
      { numRuns: 50 }
    )
  })

  test('of one that asks for everything leaves room for others', () => {
    const counter = counterOf()
    let counted = 0
    for (let at = 0; at < 3000; at++) counted += counter.add(fetchOf(`c${at}`, 'liar'), NOW_MS)
    expect(counted).toBe(1024)
    expect(counter.add(fetchOf('c2999', 'honest'), NOW_MS)).toBe(1)
    // Once what it asked for has decayed, it counts again.
    expect(counter.add(fetchOf('c2998', 'liar'), NOW_MS + 5 * halfLifeMs)).toBe(1)
  })

  test('is kept of the largest only: however many are fetched once, none of those that are wanted goes', () => {
    const counter = counterOf(16)
    const wanted = Array.from({ length: 16 }, (_, at) => `c${at}`)
    for (const content of wanted)
      for (const origin of ['a', 'b']) counter.add(fetchOf(content, origin), NOW_MS)
    for (let at = 0; at < 90; at++) {
      counter.add(fetchOf(`once ${at}`, `o${at}`), NOW_MS)
      expect(counter.size).toBeLessThanOrEqual(18)
    }
    expect(
      counter
        .top(16, NOW_MS)
        .map(({ content }) => content)
        .sort()
    ).toEqual(wanted.map(name).sort())
  })

  test('outlives a restart', () => {
    const counter = counterOf()
    for (let at = 0; at < 20; at++)
      for (let origin = 0; origin <= at % 4; origin++)
        counter.add(fetchOf(`c${at}`, `o${origin}`, 0.5), NOW_MS + at)
    const bytes = encodeCounts(counter, salt, NOW_MS + 100)
    const read = decodeCounts(bytes, { halfLifeMs })
    expect(read.salt).toEqual(salt)
    const [before, after] = [counter, read.counter].map(of => of.top(100, NOW_MS + DAY_MS))
    expect(after!.map(({ content, first, isWide, lastMs }) => [content, first, isWide, lastMs])).toEqual(
      before!.map(({ content, first, isWide, lastMs }) => [content, first, isWide, lastMs])
    )
    for (const [at, { count }] of after!.entries()) expect(count).toBeCloseTo(before![at]!.count, 9)
    const few = decodeCounts(encodeCounts(counter, salt, NOW_MS + 100, 3), { halfLifeMs })
    expect(few.counter.top(100, NOW_MS + DAY_MS)).toEqual(after!.slice(0, 3))
    for (const broken of [
      bytes.subarray(1),
      bytes.subarray(0, -1),
      new Uint8Array(),
      Uint8Array.from([...bytes, 1])
    ])
      expect(codeOf(() => decodeCounts(broken, { halfLifeMs }))).toBe('DEMAND_INVALID')
    for (const timeAt of [24 + 32, bytes.byteLength - 8]) {
      const late = Uint8Array.from(bytes)
      late[timeAt] = 0xff
      expect(codeOf(() => decodeCounts(late, { halfLifeMs }))).toBe('DEMAND_INVALID')
    }
    const worse = Uint8Array.from(bytes)
    worse.fill(0xff, 64, 64 + 60)
    expect(codeOf(() => decodeCounts(worse, { halfLifeMs }))).toBe('DEMAND_INVALID')
  })
})

describe('reports', () => {
  const node = keyOf('reporter')
  const from = (over: Partial<Reporter> = {}): Reporter => ({
    node: node.publicKey,
    network: undefined,
    standing: 1,
    ...over
  })
  const summaryOf = (count: number, sequence: number, key = node) =>
    signSummary([{ content: contentOf('x'), count }], sequence, key)

  test('count as 1 at most, by standing, and less as they grow old', () => {
    const reports = new DemandReports({ halfLifeMs })
    expect(reports.take(summaryOf(1000, NOW_MS), from({ standing: 0 }), NOW_MS)).toBe('taken')
    expect(combine(reports.on(name('x'), NOW_MS))).toBeCloseTo(0.2, 9)
    expect(reports.take(summaryOf(1000, NOW_MS + 1), from({ standing: 9 }), NOW_MS)).toBe('taken')
    expect(combine(reports.on(name('x'), NOW_MS))).toBe(1)
    expect(combine(reports.on(name('x'), NOW_MS + HOUR_MS * 23))).toBeCloseTo(2 ** (-23 / 24), 3)
    expect(combine(reports.on(name('x'), NOW_MS + 25 * HOUR_MS))).toBe(0)
  })

  test('are refused of others, again, and out of time', () => {
    const reports = new DemandReports({ halfLifeMs })
    const summary = summaryOf(1, NOW_MS)
    expect(codeOf(() => reports.take(summary, from({ node: keyOf('x').publicKey }), NOW_MS))).toBe(
      'DEMAND_INVALID'
    )
    expect(reports.take(summary, from(), NOW_MS)).toBe('taken')
    expect(reports.take(summary, from(), NOW_MS)).toBe('old')
    expect(reports.take(decodeSummary(summary.bytes), from(), NOW_MS)).toBe('old')
    expect(reports.take(summaryOf(0.5, NOW_MS - 1), from(), NOW_MS)).toBe('old')
    expect(reports.take(summaryOf(1, NOW_MS + 11 * MINUTE_MS), from(), NOW_MS)).toBe('untimely')
    expect(reports.take(summaryOf(1, NOW_MS - DAY_MS - 1), from(), NOW_MS)).toBe('untimely')
    expect(reports.take(summaryOf(0.5, NOW_MS + MINUTE_MS), from(), NOW_MS)).toBe('taken')
    expect(combine(reports.on(name('x'), NOW_MS + MINUTE_MS))).toBe(0.5)
    // What is no longer said is no longer so.
    expect(reports.take(signSummary([], NOW_MS + 2 * MINUTE_MS, node), from(), NOW_MS)).toBe('taken')
    expect(reports.on(name('x'), NOW_MS)).toEqual([])
  })

  test('of many names in one network are one, whatever they say', () => {
    const word = fc.record({
      count: fc.double({ min: -10, max: 1e9, noNaN: true }),
      standing: fc.double({ min: -1, max: 9, noNaN: true })
    })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 50 }), fc.nat(5), (words, honest) => {
        const lies = words.map(said => ({ ...said, origin: 'one network' }))
        const truths = Array.from({ length: honest }, (_, at) => ({
          origin: `peer ${at}`,
          count: 1,
          standing: 1
        }))
        expect(combine([...truths, ...lies])).toBeLessThanOrEqual(honest + 1 + 1e-9)
      })
    )
  })

  test('of one network do not crowd out others', () => {
    const reports = new DemandReports({ halfLifeMs })
    reports.take(summaryOf(1, NOW_MS), from(), NOW_MS)
    for (let at = 0; at < 600; at++) {
      const key = keyOf(`name ${at}`)
      reports.take(summaryOf(1, NOW_MS, key), from({ node: key.publicKey, network: 'one' }), NOW_MS)
    }
    expect(reports.size).toBe(5)
    expect(combine(reports.on(name('x'), NOW_MS))).toBe(2)
  })

  test('are bounded', () => {
    const reports = new DemandReports({ halfLifeMs })
    for (let at = 0; at < 520; at++) {
      const key = keyOf(`name ${at}`)
      reports.take(summaryOf(1, NOW_MS, key), from({ node: key.publicKey, network: `n${at}` }), NOW_MS)
    }
    expect(reports.size).toBe(512)
  })
})

describe('demand', () => {
  test('orders what is wanted here and elsewhere, as much as is asked for', () => {
    const counter = counterOf()
    const reports = new DemandReports({ halfLifeMs })
    for (const origin of ['one', 'two', 'three']) counter.add(fetchOf('most', origin), NOW_MS)
    counter.add(fetchOf('both', 'one'), NOW_MS)
    counter.add(fetchOf('least', 'one', 0.25), NOW_MS)
    for (const [peer, content] of [
      ['a', 'both'],
      ['b', 'told'],
      ['c', 'told twice'],
      ['d', 'told twice']
    ] as const) {
      const key = keyOf(peer)
      const summary = signSummary([{ content: contentOf(content), count: 0.9 }], NOW_MS, key)
      reports.take(summary, { node: key.publicKey, network: undefined, standing: 1 }, NOW_MS)
    }
    const order = ['most', 'both', 'told twice', 'told', 'least'].map(name)
    expect(mostWanted({ counter, reports }, 9, NOW_MS)).toEqual(order)
    expect(mostWanted({ counter, reports }, 2, NOW_MS)).toEqual(order.slice(0, 2))
    expect(mostWanted({ counter, reports }, 9, NOW_MS + 2 * DAY_MS), 'reports are of a day').not.toContain(
      name('told')
    )
  })

  test('is what was served here and what peers say, and who asks is counted once', () => {
    const counter = counterOf()
    const reports = new DemandReports({ halfLifeMs })
    const demand = () => demandFor(name('x'), { counter, reports }, NOW_MS)
    expect(demand()).toEqual({ count: 0, askers: 0, lastMs: undefined })
    counter.add(fetchOf('x', 'one'), NOW_MS)
    expect(demand()).toEqual({ count: 1, askers: 1, lastMs: NOW_MS })
    const tell = (key: ReturnType<typeof keyOf>, network: string) =>
      reports.take(
        signSummary([{ content: contentOf('x'), count: 5 }], NOW_MS, key),
        { node: key.publicKey, network, standing: 1 },
        NOW_MS
      )
    // The fetch came from the very network that now says that it has served it.
    tell(keyOf('a'), 'one')
    expect(demand()).toMatchObject({ count: 2, askers: 1 })
    tell(keyOf('b'), 'two')
    expect(demand()).toMatchObject({ count: 3, askers: 2 })
  })

  test('has one asker where a peer on a local network fetches, and says that it serves', () => {
    const counter = counterOf()
    const reports = new DemandReports({ halfLifeMs })
    const key = keyOf('near')
    counter.add(fetchOf('x', originOf(key.publicKey, undefined)), NOW_MS)
    const said = signSummary([{ content: contentOf('x'), count: 5 }], NOW_MS, key)
    reports.take(said, { node: key.publicKey, network: undefined, standing: 1 }, NOW_MS)
    expect(demandFor(name('x'), { counter, reports }, NOW_MS)).toMatchObject({ count: 2, askers: 1 })
  })

  test('is told of what was served here only, and of what everybody may know of', () => {
    const counter = counterOf()
    const signer = keyOf('node')
    for (const content of ['open', 'closed']) counter.add(fetchOf(content, 'a'), NOW_MS)
    const said = summarise(counter, content => content !== name('closed'), { sequence: NOW_MS, signer })
    expect(said.counts.map(({ content }) => content.toString())).toEqual([name('open')])
  })
})

test('a network is a /24 or a /48 of public addresses', () => {
  const at = (text: string) => networkOf(multiaddr(text))
  expect(at('/ip4/198.18.1.7/udp/1')).toBe(at('/ip4/198.18.1.9/tcp/2'))
  expect(at('/ip4/8.8.8.8/udp/1')).not.toBe(at('/ip4/8.8.9.8/udp/1'))
  expect(at('/ip6/2a00:1450:4001:1::1/udp/1')).toBe(at('/ip6/2a00:1450:4001:2::1/udp/1'))
  expect(at('/ip4/192.168.1.1/udp/1')).toBeUndefined()
  expect(at('/dns4/example.org/udp/1')).toBeUndefined()
})
