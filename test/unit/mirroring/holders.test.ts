/** Members that are busy, claim everything, do not answer, or say what they hold when nobody listens. */
import type { PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CatalogError, silentLogger, untilAborted } from '../../../base/index.ts'
import type { PeerState } from '../../../mirror/index.ts'
import { Claimed } from '../../../node/services/mirroring/claimed.ts'
import { Holders, type HoldersModules } from '../../../node/services/mirroring/holders.ts'
import { ASK_MS } from '../../../node/services/mirroring/questions.ts'
import type { ProofOutcome } from '../../../node/services/mirroring/types.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf } from '../records/examples.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const INTERVAL = HOUR
const [ada, ben] = ['ada', 'ben'].map(name => peerOf(keyOf(name).publicKey)) as [string, string]
const one = contentOf('one')

let clock: ManualClock
let ending: AbortController
let claimed: Claimed
let holders: Holders
let connected: string[]
let concerns: CID[]
/** What is known here. */
let known: (content: string) => boolean
/** Contents that each question was about, and who was asked. */
let asked: number[]
let askedPeers: string[]
let members: string[]
/** How a member answers. */
let answer: (
  contents: readonly CID[],
  peer: string,
  signal: AbortSignal
) => readonly CID[] | Promise<readonly CID[]>
let challenged: string[]
/** What members told by themselves. */
let claims: string[]
let searches: number
let prove: (peer: string) => ProofOutcome | Promise<ProofOutcome>
let states: Map<string, PeerState>
let watching: Promise<void>

beforeEach(() => {
  clock = new ManualClock()
  ending = new AbortController()
  claimed = new Claimed()
  connected = [ada]
  concerns = [one]
  known = () => true
  asked = []
  askedPeers = []
  members = [ada, ben]
  answer = contents => contents
  challenged = []
  claims = []
  searches = 0
  prove = () => 'proven'
  states = new Map()
  const modules = {
    host: { peers: () => [] },
    network: {
      connected: () => connected,
      recordHolders: () => {
        searches++
        return []
      }
    },
    exchange: {
      ask: async (peer: PeerId, contents: readonly CID[], signal: AbortSignal) => {
        asked.push(contents.length)
        askedPeers.push(peer.toString())
        return await answer(contents, peer.toString(), signal)
      },
      tell: async () => undefined
    },
    members: { members: () => members.map(peer => ({ peer })) },
    possession: {
      challenge: async (peer: string) => {
        challenged.push(peer)
        return await prove(peer)
      },
      claimed: (peer: string, content: CID) => void claims.push(`${peer} ${content}`)
    },
    planner: {
      setKnown: () => undefined,
      concerns: () => concerns,
      claim: (_: string, peer: string) => peer !== '',
      prove: () => true,
      refute: () => undefined,
      setPeer: (peer: string, state: PeerState) => states.set(peer, state),
      removePeer: (peer: string) => states.delete(peer),
      networkOf: () => undefined,
      hasChanged: false
    },
    releases: {
      of: (key: string) => (known(key) ? { content: CID.parse(key) } : undefined)
    },
    claimed,
    clock,
    logger: silentLogger,
    changed: () => undefined,
    random: () => 0.5
  }
  holders = new Holders(modules as unknown as HoldersModules, {
    self: 'self',
    graceMs: 15 * MINUTE,
    intervalMs: INTERVAL,
    copies: 1
  })
})

afterEach(async () => {
  ending.abort(new Error('over'))
  await watching
})

function begin(): void {
  holders.setMembers(ending.signal)
  watching = holders.watch(ending.signal).catch(() => undefined)
}

const isAway = (peer: string): boolean => states.get(peer)?.awaySinceMs !== undefined

describe('the DHT', () => {
  test('is searched for what members who were asked do not hold often enough, and for nothing else', async () => {
    begin()
    await holders.lookUp([one.toString()], ending.signal)
    expect(searches).toBe(0)
    answer = () => []
    await holders.lookUp([one.toString()], ending.signal)
    expect(searches).toBe(1)
  })
})

describe('members', () => {
  test('are asked again each interval', async () => {
    answer = () => []
    begin()
    await clock.advance(INTERVAL / 2, MINUTE)
    const before = asked.length
    answer = contents => contents
    await clock.advance(2 * INTERVAL, MINUTE)
    expect(claimed.holdersOf(one.toString())).toEqual([ada])
    expect(asked.length).toBeLessThan(before + 4)
  })

  test('that tell what they hold from now on are believed to have had it not before', async () => {
    begin()
    holders.told(ada, { held: [one], gone: [] })
    holders.told('a stranger', { held: [one], gone: [] })
    expect(claims).toEqual([`${ada} ${one}`])
  })

  test('that were busy are asked again soon', async () => {
    answer = () => {
      throw new CatalogError('BUSY', 'it begins just now')
    }
    begin()
    await clock.advance(MINUTE, MINUTE)
    answer = contents => contents
    await clock.advance(6 * MINUTE, MINUTE)
    expect(claimed.holdersOf(one.toString())).toEqual([ada])
  })

  test('are asked about as much as they have time for', async () => {
    concerns = Array.from({ length: 5000 }, (_, at) => contentOf(`content ${at}`))
    let left = 2000
    answer = contents => {
      if (left < contents.length) {
        left += 1000
        throw new CatalogError('BUSY', 'too much', { details: { retryAfterMs: 1000 } })
      }
      left -= contents.length
      return contents
    }
    begin()
    await clock.advance(MINUTE, 1000)
    expect(claimed.of(ada)).toHaveLength(5000)
  })

  test('that come and go are asked about everything once at a time', async () => {
    let give: () => void = () => undefined
    const silent = new Promise<void>(resolve => {
      give = resolve
    })
    answer = contents => silent.then(() => contents)
    begin()
    for (let turn = 0; turn < 100; turn++) {
      holders.disconnected(ada)
      holders.connected(ada, ending.signal)
    }
    await clock.advance(1000)
    expect(asked).toHaveLength(1)
    give()
  })

  test('that say nothing take no time from those who wait behind them', async () => {
    const limits: Array<() => void> = []
    const { setTimeout } = globalThis
    const timers = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms: number) => {
      if (ms !== ASK_MS) return setTimeout(end, ms)
      limits.push(end)
      return { unref: () => undefined }
    }) as never)
    try {
      members = Array.from({ length: 9 }, (_, at) => peerOf(keyOf(`member ${at}`).publicKey))
      connected = [...members]
      const last = members.at(-1)!
      answer = async (contents, peer, signal) => {
        signal.throwIfAborted()
        return peer === last ? contents : await untilAborted(new Promise(() => undefined), signal)
      }
      begin()
      await clock.advance(1)
      expect(askedPeers).not.toContain(last)
      for (const end of [...limits]) end()
      await clock.advance(1)
      expect(claimed.of(last)).toEqual([one.toString()])
    } finally {
      timers.mockRestore()
    }
  })

  test('that are none any more when they answer are asked no more, and not remembered', async () => {
    let give: () => void = () => undefined
    const silent = new Promise<void>(resolve => {
      give = resolve
    })
    answer = contents => silent.then(() => contents)
    // More than one question.
    concerns = Array.from({ length: 3000 }, () => one)
    begin()
    expect(states.has(ada)).toBe(true)
    members = [ben]
    holders.setMembers(ending.signal)
    give()
    await clock.advance(1000)
    expect(asked).toHaveLength(1)
    expect([...states.keys()]).toEqual([])
  })

  test('that are away are all looked for in turns, however many they are', async () => {
    members = Array.from({ length: 150 }, (_, at) => peerOf(keyOf(`member ${at}`).publicKey))
    connected = [...members]
    begin()
    await clock.advance(1000)
    connected = []
    for (const member of members) holders.disconnected(member)
    answer = () => {
      throw new CatalogError('DIAL_FAILED', 'it is away')
    }
    askedPeers = []
    await clock.advance(20 * MINUTE, MINUTE)
    expect(new Set(askedPeers).size).toBe(members.length)
  })

  test('that answer BUSY when they are back are there', async () => {
    begin()
    await clock.advance(MINUTE, MINUTE)
    connected = []
    holders.disconnected(ada)
    answer = () => {
      // The question has connected the two.
      connected = [ada]
      throw new CatalogError('BUSY', 'it begins just now')
    }
    await clock.advance(10 * MINUTE, MINUTE)
    expect(isAway(ada)).toBe(false)
  })
})

describe('proofs', () => {
  test('of others are not kept waiting by who claims everything and takes its time', async () => {
    prove = peer => (peer === ada ? new Promise(() => undefined) : 'proven')
    connected = [ada, ben]
    begin()
    for (let at = 0; at < 100; at++) holders.told(ada, { held: [contentOf(`content ${at}`)], gone: [] })
    holders.told(ben, { held: [one], gone: [] })
    await clock.advance(1000)
    expect(claimed.provenMs(ben, one.toString())).toBeDefined()
  })

  test('are not asked for with each plan while they are not answered', async () => {
    prove = () => 'unanswered'
    begin()
    for (let plan = 0; plan < 60; plan++) {
      holders.prove(ada, one)
      await clock.advance(1000, 1000)
    }
    expect(challenged.length).toBeLessThan(8)
    const before = challenged.length
    holders.connected(ada, ending.signal)
    await clock.advance(1000, 1000)
    expect(challenged).toHaveLength(before + 1)
  })

  test('are renewed also where others answer none', async () => {
    connected = [ada, ben]
    answer = () => []
    begin()
    const many = Array.from({ length: 300 }, (_, at) => contentOf(`content ${at}`))
    holders.told(ada, { held: many, gone: [] })
    await clock.advance(MINUTE, 1000)
    holders.told(ben, { held: [one], gone: [] })
    await clock.advance(MINUTE, 1000)
    const firstMs = claimed.provenMs(ben, one.toString())!
    prove = peer => (peer === ada ? 'unanswered' : 'proven')
    answer = () => {
      throw new CatalogError('TIMEOUT', 'no answer')
    }
    await clock.advance(25 * HOUR, 5 * MINUTE)
    expect(claimed.provenMs(ben, one.toString())!).toBeGreaterThan(firstMs)
  })

  test('of what is not known here any more are not asked for, and no place is kept for them', async () => {
    begin()
    await clock.advance(MINUTE, 1000)
    expect(claimed.of(ada)).toHaveLength(1)
    known = () => false
    concerns = []
    await clock.advance(24 * HOUR, 5 * MINUTE)
    expect(claimed.of(ada)).toEqual([])
  })
})
