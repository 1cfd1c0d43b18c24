/** What becomes of challenges: which failures refute a peer, and for how long it is left alone then. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, type ErrorCode, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import { createReleaseRecord } from '../../../library/index.ts'
import { PeerPossession } from '../../../node/services/mirroring/possession.ts'
import type { ToldBytes } from '../../../protocols/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const TOLD: ToldBytes = { member: Uint8Array.of(1), demand: Uint8Array.of(2) }
const peers = await Promise.all(
  Array.from({ length: 12 }, async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString())
)
const [peer, other] = peers as [string, string]
const one = contentOf('one')
const signal = new AbortController().signal

let clock: ManualClock
let possession: PeerPossession
let asked: string[]
let violations: string[]
let told: unknown[]
let answer: () => ToldBytes | Promise<ToldBytes>
let isReader: boolean
let isKnown: boolean

beforeEach(() => {
  clock = new ManualClock()
  asked = []
  violations = []
  told = []
  answer = () => TOLD
  isReader = true
  isKnown = true
  possession = new PeerPossession({
    client: {
      challenge: async (peerId, { content }) => {
        asked.push(`${peerId} ${content}`)
        return await answer()
      }
    },
    releaseOf: content => (isKnown ? createReleaseRecord(small({ content }), keyOf('alice')) : undefined),
    mayRead: () => isReader,
    clock,
    logger: silentLogger,
    onViolation: (_, { code }) => void violations.push(code),
    onMember: (peerId, bytes) => void told.push([peerId, bytes]),
    onDemand: (peerId, bytes) => void told.push([peerId, bytes])
  })
})

const failing = (code: ErrorCode) => () => {
  throw new CatalogError(code, 'a failure of the test')
}
const challenge = (peerId = peer, content = one) => possession.challenge(peerId, content, signal)

describe('a peer that proves it', () => {
  it('is proven once what it says of itself was told', async () => {
    expect(await challenge()).toBe('proven')
    expect(told).toEqual([
      [peer, TOLD.member],
      [peer, TOLD.demand]
    ])
  })

  it('may have nothing to say', async () => {
    answer = () => ({ member: new Uint8Array(), demand: new Uint8Array() })
    expect(await challenge()).toBe('proven')
    expect(told).toEqual([])
  })
})

describe('a peer says nothing about what it holds', () => {
  it.each<ErrorCode>([
    'BUSY',
    'DIAL_FAILED',
    'STREAM_TRUNCATED',
    'UNSUPPORTED',
    'PEER_FAILED',
    'PEER_REFUSED',
    'SHUTTING_DOWN',
    'CONTENT_MISSING',
    'CONTENT_INVALID',
    'PATH_REFUSED',
    'INTERNAL'
  ])('by %s', async code => {
    answer = failing(code)
    for (let times = 0; times < 5; times++) expect(await challenge()).toBe('unanswered')
    expect(asked, 'it is asked again').toHaveLength(5)
    expect(violations).toEqual([])
  })

  it('when it may not know of it, and it is not asked', async () => {
    isReader = false
    expect(await challenge()).toBe('unanswered')
    isReader = true
    isKnown = false
    expect(await challenge()).toBe('unanswered')
    expect(asked).toEqual([])
  })
})

describe('a peer that has failed', () => {
  it.each<[ErrorCode, number]>([
    ['BYTES_WRONG', 1],
    ['PROTOCOL_VIOLATION', 1],
    ['TIMEOUT', 0]
  ])('by %s is left alone with that for six hours', async (code, reports) => {
    answer = failing(code)
    expect(await challenge()).toBe('refuted')
    expect(violations).toHaveLength(reports)
    answer = () => TOLD
    expect(await challenge()).toBe('refuted')
    await clock.advance(6 * HOUR_MS - 1, HOUR_MS)
    expect(await challenge()).toBe('refuted')
    expect(asked).toHaveLength(1)
    expect([await challenge(peer, contentOf('two')), await challenge(other)]).toEqual(['proven', 'proven'])
    await clock.advance(1)
    expect(await challenge()).toBe('proven')
  })

  it('three times is left alone with everything', async () => {
    answer = failing('BYTES_WRONG')
    for (const name of ['one', 'two', 'three']) await challenge(peer, contentOf(name))
    answer = () => TOLD
    expect(await challenge(peer, contentOf('four'))).toBe('refuted')
    expect(await challenge(other, contentOf('four'))).toBe('proven')
    await clock.advance(6 * HOUR_MS, HOUR_MS)
    expect(await challenge(peer, contentOf('four'))).toBe('proven')
    answer = failing('BYTES_WRONG')
    await challenge(peer, contentOf('five'))
    answer = () => TOLD
    expect(await challenge(peer, contentOf('six')), 'it begins anew').toBe('proven')
  })

  it('and says so itself is asked again in ten minutes, and for other contents at once', async () => {
    answer = failing('NOT_FOUND')
    for (const name of ['one', 'two', 'three', 'four'])
      expect(await challenge(peer, contentOf(name))).toBe('refuted')
    answer = () => TOLD
    expect(await challenge(peer, contentOf('five'))).toBe('proven')
    expect(await challenge()).toBe('refuted')
    await clock.advance(10 * MINUTE_MS, MINUTE_MS)
    expect(await challenge()).toBe('proven')
  })
})

describe('challenges at once', () => {
  it('of one peer wait for each other, and are few in all', async () => {
    const gates: Array<() => void> = []
    answer = () =>
      new Promise(resolve => {
        gates.push(() => resolve(TOLD))
      })
    const all = peers.flatMap(id => [challenge(id), challenge(id, contentOf('two'))])
    let most = 0
    for (let done = 0; done < all.length; done++) {
      await new Promise(resolve => setImmediate(resolve))
      most = Math.max(most, gates.length)
      gates.shift()!()
    }
    expect(await Promise.all(all)).toEqual(all.map(() => 'proven'))
    expect(most).toBe(8)
    expect(new Set(asked).size).toBe(all.length)
  })

  it('of one peer are bounded', async () => {
    const gate = Promise.withResolvers<ToldBytes>()
    answer = () => gate.promise
    const all = Array.from({ length: 70 }, (_, number) => challenge(peer, contentOf(`c${number}`)))
    gate.resolve(TOLD)
    const outcomes = await Promise.all(all)
    expect(outcomes.filter(outcome => outcome === 'proven')).toHaveLength(65)
    expect(outcomes.filter(outcome => outcome === 'unanswered')).toHaveLength(5)
  })

  it('are not made of who fails while they wait', async () => {
    answer = failing('BYTES_WRONG')
    const outcomes = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map(name => challenge(peer, contentOf(name)))
    )
    expect(outcomes).toEqual(Array(5).fill('refuted'))
    expect(asked).toHaveLength(3)
  })

  it('end with the signal, and throw its reason', async () => {
    const stop = new AbortController()
    answer = () =>
      new Promise((_, reject) => stop.signal.addEventListener('abort', () => reject(stop.signal.reason)))
    const [under, waiting] = [one, contentOf('two')].map(content =>
      possession.challenge(peer, content, stop.signal)
    )
    stop.abort(new CatalogError('SHUTTING_DOWN', 'enough'))
    await expect(under).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await expect(waiting).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    answer = () => TOLD
    expect(await challenge()).toBe('proven')
  })
})

it('what a holder says that nobody can take does not take its proof away', async () => {
  const modules = { releaseOf: () => createReleaseRecord(small({ content: one }), keyOf('alice')) }
  const strict = new PeerPossession({
    ...modules,
    client: { challenge: async () => TOLD },
    mayRead: () => true,
    clock,
    logger: silentLogger,
    onViolation: () => undefined,
    onMember: failing('MEMBER_INVALID'),
    onDemand: () => undefined
  })
  expect(await strict.challenge(peer, one, signal)).toBe('proven')
})
