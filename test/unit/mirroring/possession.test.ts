/** What becomes of challenges: which failures refute a peer, and for how long it is left alone then. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, type ErrorCode, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import { createReleaseRecord } from '../../../library/index.ts'
import { Challenges } from '../../../node/services/mirroring/challenges.ts'
import { PeerPossession } from '../../../node/services/mirroring/possession.ts'
import type { ProofOutcome } from '../../../node/services/mirroring/types.ts'
import type { ToldBytes } from '../../../protocols/index.ts'
import { eventually } from '../../eventually.ts'
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

describe('a peer that tells by itself that it holds something', () => {
  it('is asked at once though it had not all of it before', async () => {
    answer = failing('NOT_FOUND')
    expect(await challenge()).toBe('refuted')
    answer = () => TOLD
    possession.claimed(peer, contentOf('two'))
    expect(await challenge()).toBe('refuted')
    possession.claimed(peer, one)
    expect(await challenge()).toBe('proven')
  })

  it('and then has it not is left alone for ten minutes, whatever it tells', async () => {
    answer = failing('NOT_FOUND')
    for (let times = 0; times < 20; times++) {
      possession.claimed(peer, one)
      expect(await challenge()).toBe('refuted')
    }
    expect(asked).toHaveLength(2)
    answer = () => TOLD
    await clock.advance(10 * MINUTE_MS, MINUTE_MS)
    expect(await challenge()).toBe('proven')
  })

  it('is left alone all the same where it gave a wrong proof', async () => {
    answer = failing('BYTES_WRONG')
    expect(await challenge()).toBe('refuted')
    answer = () => TOLD
    possession.claimed(peer, one)
    expect(await challenge()).toBe('refuted')
  })
})

describe('challenges at once', () => {
  let outcomes: ProofOutcome[]
  let challenges: Challenges
  let stop: AbortController
  let run: Promise<never>

  beforeEach(() => {
    outcomes = []
    stop = new AbortController()
    challenges = new Challenges(
      { possession, clock, logger: silentLogger, random: () => 0.5 },
      { onOutcome: (_, outcome) => void outcomes.push(outcome) }
    )
    run = challenges.run(stop.signal)
    run.catch(() => undefined)
  })
  afterEach(() => stop.abort())

  const add = (peerId: string, name: string): boolean =>
    challenges.add({ peer: peerId, content: contentOf(name) })

  it('of one peer wait for each other, and are few in all', async () => {
    const gates: Array<() => void> = []
    answer = () =>
      new Promise(resolve => {
        gates.push(() => resolve(TOLD))
      })
    for (const id of peers) for (const name of ['one', 'two']) add(id, name)
    let most = 0
    for (let done = 0; done < 2 * peers.length; done++) {
      await eventually(() => gates.length > 0)
      await new Promise(resolve => setImmediate(resolve))
      most = Math.max(most, gates.length)
      const of = asked.slice(-gates.length).map(text => text.split(' ')[0])
      expect(new Set(of).size, 'none twice').toBe(of.length)
      gates.shift()!()
    }
    await eventually(() => outcomes.length === 2 * peers.length)
    expect(outcomes).toEqual(outcomes.map(() => 'proven'))
    expect(most).toBe(8)
    expect(new Set(asked).size).toBe(2 * peers.length)
  })

  it('of one peer are bounded', async () => {
    answer = () => new Promise(() => undefined)
    add(peer, 'under way')
    await eventually(() => asked.length === 1)
    const isTaken = Array.from({ length: 2005 }, (_, number) => add(peer, `c${number}`))
    expect(isTaken.filter(taken => taken)).toHaveLength(2000)
    expect(add(other, 'one'), 'of others there may be more').toBe(true)
  })

  it('are not made of who fails while they wait', async () => {
    answer = failing('BYTES_WRONG')
    for (const name of ['a', 'b', 'c', 'd', 'e']) add(peer, name)
    await eventually(() => outcomes.length === 5)
    expect(outcomes).toEqual(Array(5).fill('refuted'))
    expect(asked).toHaveLength(3)
  })

  it('end with the signal, and throw its reason', async () => {
    answer = () =>
      new Promise((_, reject) => stop.signal.addEventListener('abort', () => reject(stop.signal.reason)))
    const under = possession.challenge(peer, one, stop.signal)
    add(other, 'one')
    add(other, 'two')
    await eventually(() => asked.length === 2)
    stop.abort(new CatalogError('SHUTTING_DOWN', 'enough'))
    await expect(under).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await expect(run).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(outcomes).toEqual([])
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
