/** Whom a node asks for a release of a closed library. Libraries and their access lists are real, the network is as told. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { closedKey, keyText } from '../../../discovery/index.ts'
import { ACCESS_LIFETIME_MS } from '../../../library/index.ts'
import { candidatesOf, MAX_SOUGHT } from '../../../node/services/closed-candidates.ts'
import { ClosedSources } from '../../../node/services/closed-sources.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { keyOf } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'
import { holderNetwork } from './holder-network.ts'

const { signal } = new AbortController()
const RELEASE = numbered(1)
const nodes = ['member-1', 'member-2', 'member-3', 'stranger'].map(name => keyOf(name).publicKey)
const [one = '', two = '', three = '', stranger = ''] = nodes.map(peerOf)

let writer: SyncHome
let own: SyncHome
let clock: ManualClock
let connected: string[]
let online: string[]
let holders: Map<string, string[]>
/** What was done: keys searched for, and nodes dialled. */
let searched: string[]
let dialled: string[]

beforeEach(async () => {
  writer = await SyncHome.open('writer')
  own = await SyncHome.open('own')
  clock = new ManualClock()
  connected = []
  online = []
  holders = new Map()
  searched = []
  dialled = []
  const members = [own.key.publicKey, ...nodes.slice(0, 3)]
  await writer.sets.access.create({ name: 'team', access: 'restricted', members })
  await writer.publishIn('team', RELEASE)
  await follow(own, writer, { of: writer, name: 'team' })
})
afterEach(() => Promise.all([writer.close(), own.close()]))

function sources(): ClosedSources {
  return new ClosedSources(
    {
      network: {
        connected: () => connected,
        ...holderNetwork({ holders, online, searched, dialled })
      },
      registry: own.registry,
      access: own.sets.access,
      clock: {
        now: () => own.nowMs,
        monotonicMs: () => clock.monotonicMs(),
        wait: (...args) => clock.wait(...args)
      },
      logger: silentLogger,
      random: () => 0.5
    },
    { self: peerOf(own.key.publicKey) }
  )
}

const find = async (isThorough = false): Promise<string[]> =>
  (await sources().find(RELEASE, isThorough, signal)).map(({ peerId, record }) => {
    expect(record).toEqual(RELEASE.id)
    return peerId
  })

/** Of the library, as its members know it now. */
async function secretKey(): Promise<string> {
  const [copy = ''] = await own.sets.copies()
  const list = await own.sets.access.accessOf(copy)
  return keyText(closedKey(list!.secret, list!.library))
}

const writerId = (): string => peerOf(writer.key.publicKey)

describe('sources of a closed release', () => {
  test('are those who are connected and may know of it, its writer first, without a word to anybody else', async () => {
    connected = [stranger, two, writerId(), one]
    const found = await find()
    expect(found[0]).toBe(writerId())
    expect(found.slice(1).sort()).toEqual([one, two].sort())
    expect([searched, dialled]).toEqual([[], []])
  })

  test('are those who say under the secret key that they have the library, if they may', async () => {
    connected = [stranger]
    holders.set(await secretKey(), [stranger, two])
    expect(await find()).toEqual([two])
    expect(dialled).toEqual([])
  })

  test('are its writer and its members dialled, when nobody says so', async () => {
    online = [three]
    expect(await find()).toEqual([three])
    expect(dialled[0]).toBe(writerId())
    expect(dialled.toSorted()).toEqual([writerId(), one, two, three].sort())
  })

  test('are all of these, once those who are connected had nothing', async () => {
    connected = [one]
    holders.set(await secretKey(), [two])
    online = [three]
    expect(await find()).toEqual([one])
    expect(await find(true)).toEqual([one, two, three])
  })

  test('are missing when nobody can be reached', async () => {
    connected = [stranger]
    await expect(find()).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
  })

  test('are none of those who were shut out, as soon as that is known here', async () => {
    const before = await secretKey()
    await writer.sets.access.changeMembers('team', { joining: [], leaving: [nodes[0]!] })
    await follow(own, writer, { of: writer, name: 'team' })
    connected = [one]
    holders.set(before, [one, two])
    await expect(find()).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(searched).toEqual([await secretKey()])
    expect(searched).not.toContain(before)
    expect(dialled).not.toContain(one)
  })

  test('are its writer alone when nobody has renewed its list', async () => {
    own.nowMs += ACCESS_LIFETIME_MS
    connected = [one, writerId()]
    expect(await find()).toEqual([writerId()])
  })

  test('of a library that is gone are none', async () => {
    await own.sets.forget(writer.idOf('team'))
    connected = [one]
    await expect(find()).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
    expect(searched).toEqual([])
  })

  test('join a fetch as they come, each once', async () => {
    connected = [one]
    const found: string[] = []
    const stop = new AbortController()
    const run = (async () => {
      for await (const peerId of sources().late(RELEASE, [one], stop.signal)) found.push(peerId)
    })()
    const until = async (peers: string[]): Promise<void> => {
      for (let round = 0; round < 50 && found.length < peers.length; round++) {
        await clock.advance(2000)
        await new Promise(resolve => setImmediate(resolve))
      }
      expect(found).toEqual(peers)
    }
    connected = [one, stranger, two]
    await until([two])
    connected = [two, writerId()]
    await until([two, writerId()])
    stop.abort(new Error('over'))
    await expect(run).rejects.toThrow('over')
    expect(dialled).toEqual([])
  })

  test('may be named by a user if they may know of it', async () => {
    await sources().expectAdmitted(RELEASE, one)
    await sources().expectAdmitted(RELEASE, writerId())
    await expect(sources().expectAdmitted(RELEASE, stranger)).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
  })
})

test('nobody but writers and members is ever a candidate, none twice, and only so many are sought', () => {
  const peer = fc.integer({ min: 0, max: 30 }).map(String)
  const peers = fc.array(peer, { maxLength: 20 })
  fc.assert(
    fc.property(
      peers,
      peers,
      peers,
      peers,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (writers, members, connected, holders, random) => {
        const self = '0'
        const { ready, away } = candidatesOf(
          { writers, members },
          { self, connected, holders, random: () => random }
        )
        const all = [...ready, ...away]
        const admitted = new Set([...writers, ...members].filter(id => id !== self))
        expect(all.every(id => admitted.has(id))).toBe(true)
        expect(new Set(all).size).toBe(all.length)
        expect(away.length).toBeLessThanOrEqual(MAX_SOUGHT)
        for (const id of admitted)
          if (connected.includes(id) || holders.includes(id)) expect(ready).toContain(id)
        const near = ready.map(id => connected.includes(id))
        expect(near).toEqual(near.toSorted((a, b) => Number(b) - Number(a)))
        const first = away.map(id => writers.includes(id))
        expect(first).toEqual(first.toSorted((a, b) => Number(b) - Number(a)))
      }
    ),
    { seed: 7 }
  )
})
