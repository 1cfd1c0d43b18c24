/** Subscriptions at work: what is heard, what is done about it, and with whom. The heads are real; sessions are as told. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { Following, subscriptionsOf } from '../../../node/services/following.ts'
import { peersToWatch } from '../../../node/services/watching.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import type { SyncResult } from '../../../node/sync-schemas.ts'
import { HEAD_LIFETIME_MS, type HeadStatement, libraryIdOf, readHead, signHead } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { keyOf } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'
import { hashOf } from '../sync/tries.ts'

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS

let writer: SyncHome
let reader: SyncHome
let clock: ManualClock
let following: Following
let mirror: PeerId
let connected: string[]
let onConnected: Array<(peer: string) => void>
let runs: string[]
let asked: Array<string | undefined>
let takes: number
let united: Uint8Array[]
let root: string
let outcome: (peer: string) => void
let state: SyncResult['state']
let expiresMs: number
let watched: string[]
let libraries: Array<readonly Uint8Array[]>
let violations: string[]
let followed: string[]

beforeEach(async () => {
  writer = await SyncHome.open('writer')
  reader = await SyncHome.open('reader')
  await writer.publish(numbered(1))
  await follow(reader, writer)
  clock = new ManualClock()
  mirror = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  connected = [mirror.toString()]
  onConnected = []
  runs = []
  asked = []
  takes = 0
  united = []
  root = 'one'
  watched = []
  libraries = []
  violations = []
  followed = []
  outcome = () => undefined
  state = 'updated'
  expiresMs = clock.now() + HEAD_LIFETIME_MS + HOUR_MS
  following = open([peerOf(writer.key.publicKey)])
  following.start()
  // The first comparison of every subscription, with its writer.
  await eventually(() => followed.length === 1)
})
afterEach(async () => {
  await following.stop()
  await Promise.all([writer.close(), reader.close()])
})

const open = (lines: string[]): Following =>
  new Following(
    {
      syncing: {
        sync: async ({ peer, library }) => {
          runs.push(peer)
          asked.push(library)
          outcome(peer)
          return { state, root, head: { expires: new Date(expiresMs).toISOString() } } as never
        }
      },
      uniting: {
        unite: async ({ library }) => {
          united.push(library)
          return 1
        }
      },
      sets: {
        access: reader.sets.access,
        headOf: library => reader.sets.headOf(library),
        take: bytes => {
          takes++
          return reader.sets.take(bytes)
        }
      },
      heads: {
        watch: async (peerId, ids) => {
          watched.push(peerId.toString())
          libraries.push(ids)
        }
      },
      network: {
        connected: () => connected,
        onConnected: listener => {
          onConnected.push(listener)
          return () => undefined
        }
      },
      clock,
      logger: silentLogger,
      onFollowed: ({ writer: of }) => void followed.push(of),
      onViolation: (_, { code }) => void violations.push(code),
      random: () => 0
    },
    { subscriptions: subscriptionsOf(lines), intervalMs: DAY_MS }
  )

const headOf = (): Uint8Array => readHead(writer.reader, writer.library, writer.key.publicKey)!.bytes

function headLike(over: Partial<HeadStatement>, signer = writer.key): Uint8Array {
  const {
    bytes: _,
    hash: __,
    writer: ___,
    ...last
  } = readHead(writer.reader, writer.library, writer.key.publicKey)!
  return signHead({ ...last, ...over }, signer).bytes
}

describe('a head that a peer tells', () => {
  test('is followed at once, from who told it, when it is newer than the copy', async () => {
    expect(runs).toEqual([peerOf(writer.key.publicKey)])
    await following.heard(mirror, headOf())
    await clock.advance(1000)
    expect(runs, 'that one is here').toHaveLength(1)
    await writer.publish(numbered(2))
    await following.heard(mirror, headOf())
    await eventually(() => runs.length === 2)
    expect(runs[1]).toBe(mirror.toString())
  })

  test('costs the same however many libraries are here', async () => {
    await writer.publish(numbered(2))
    const before = reader.walks
    await following.heard(mirror, headOf())
    expect(takes).toBe(1)
    expect(reader.walks).toBe(before)
  })

  test('wakes no worker when it is the one that is here, of a copy or of the own library', async () => {
    await reader.publish(numbered(50))
    await following.heard(mirror, headOf())
    await following.heard(mirror, readHead(reader.reader, reader.library, reader.key.publicKey)!.bytes)
    expect(takes).toBe(0)
    await clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => runs.length === 2)
    expect(runs[1], 'who told it has the library').toBe(mirror.toString())
  })

  test('that contradicts another is kept as evidence, and followed by nobody', async () => {
    await following.heard(mirror, headLike({ root: hashOf('a second story') }))
    expect(await reader.sets.evidence()).toHaveLength(1)
    await clock.advance(1000)
    expect(runs).toHaveLength(1)
  })

  test('and that does not verify, or is of a library that nobody follows, is refused', async () => {
    const forged = headOf().map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte))
    await expect(following.heard(mirror, forged)).rejects.toBeInstanceOf(CatalogError)
    await expect(following.heard(mirror, Buffer.from('nothing'))).rejects.toMatchObject({
      code: 'HEAD_INVALID'
    })
    expect(violations).toHaveLength(2)
    const other = headLike({ library: hashOf('another') }, keyOf('mallory'))
    await expect(following.heard(mirror, other)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(violations, 'that is no lie').toHaveLength(2)
    expect(runs).toHaveLength(1)
  })

  test('and that another key than the one of the library has signed, is refused before it takes any room', async () => {
    const later = { epoch: Number.MAX_SAFE_INTEGER }
    const ofAnother = headLike(later, keyOf('mallory'))
    await expect(following.heard(mirror, ofAnother)).rejects.toMatchObject({ code: 'HEAD_INVALID' })
    const ofOwn = headLike({ ...later, library: reader.library }, keyOf('mallory'))
    await expect(following.heard(mirror, ofOwn)).rejects.toMatchObject({ code: 'HEAD_INVALID' })
    expect(violations).toEqual(['HEAD_INVALID', 'HEAD_INVALID'])
    for (const library of [writer.library, reader.library])
      expect(readHead(reader.reader, library, keyOf('mallory').publicKey)).toBeUndefined()
    await clock.advance(1000)
    expect(runs, 'nobody is asked for it').toHaveLength(1)
  })

  test('of this node that it does not remember begins a new epoch', async () => {
    await reader.publish(numbered(50))
    const own = readHead(reader.reader, reader.library, reader.key.publicKey)!
    const { bytes: _, hash, writer: __, ...last } = own
    const lost = signHead({ ...last, revision: own.revision + 1, previous: hash }, reader.key)
    await following.heard(mirror, lost.bytes)
    const now = readHead(reader.reader, reader.library, reader.key.publicKey)!
    expect(now.epoch).toBeGreaterThan(own.epoch)
  })
})

describe('a subscription', () => {
  test('that fails is tried again later and later, and with others', async () => {
    outcome = () => {
      throw new CatalogError('DIAL_FAILED', 'away')
    }
    await writer.publish(numbered(2))
    await following.heard(mirror, headOf())
    await eventually(() => runs.length === 2)
    expect(following.status()).toMatchObject([{ state: 'failing', error: 'DIAL_FAILED' }])
    await clock.advance(1000)
    expect(runs, 'not at once').toHaveLength(2)
    connected = [mirror.toString(), peerOf(writer.key.publicKey)]
    outcome = () => undefined
    await clock.advance(5000)
    await eventually(() => followed.length === 2)
    expect(runs[2], 'not with who failed').toBe(peerOf(writer.key.publicKey))
    expect(following.status()).toMatchObject([{ state: 'waiting' }])
    expect(following.status()[0]).not.toHaveProperty('error')
  })

  test('that finds a peer busy is compared with it when that says, and nobody counts it as a failure', async () => {
    let retryAfterMs = 30_000
    outcome = () => {
      throw new CatalogError('BUSY', 'all places are taken', { details: { retryAfterMs } })
    }
    await writer.publish(numbered(2))
    await following.heard(mirror, headOf())
    await eventually(() => runs.length === 2)
    expect(following.status()).toMatchObject([{ state: 'waiting' }])
    expect(following.status()[0]).not.toHaveProperty('error')
    await clock.advance(29_000, 1000)
    expect(runs, 'not before').toHaveLength(2)
    retryAfterMs = DAY_MS
    await clock.advance(1000)
    await eventually(() => runs.length === 3)
    await clock.advance(60_000, 10_000)
    await eventually(() => runs.length === 4)
    outcome = () => undefined
    await clock.advance(60_000, 10_000)
    await eventually(() => followed.length === 2)
    expect(runs.slice(1), 'the one that told').toEqual(Array(4).fill(mirror.toString()))
  })

  test('that finds a peer busy again and again goes to another one', async () => {
    outcome = peer => {
      if (peer === mirror.toString()) throw new CatalogError('BUSY', 'all places are taken')
    }
    await writer.publish(numbered(2))
    await following.heard(mirror, headOf())
    await clock.advance(30_000, 1000)
    await eventually(() => followed.length === 2)
    expect(runs.slice(1, -1)).toEqual(Array(11).fill(mirror.toString()))
    expect(runs.at(-1)).toBe(peerOf(writer.key.publicKey))
  })

  test('is not begun with a peer that was busy for another one, nor with more at once than a peer serves', async () => {
    await following.stop()
    const ofHome = peerOf(writer.key.publicKey)
    following = open([ofHome, ...['a', 'b', 'c', 'd', 'e'].map(name => `${ofHome}/${name}`)])
    outcome = () => {
      throw new CatalogError('BUSY', 'all places are taken')
    }
    following.start()
    await eventually(() => runs.length === 3)
    await clock.advance(500)
    expect(runs, 'two of the six').toHaveLength(3)
    outcome = () => undefined
    await clock.advance(1000, 500)
    await eventually(() => followed.length === 7)
    expect(runs).toHaveLength(9)
  })

  test('is tried with its writer where a peer that holds it has an earlier state, and its content is left', async () => {
    state = 'behind'
    await writer.publish(numbered(2))
    await following.heard(mirror, headOf())
    await eventually(() => runs.length === 2)
    expect(following.status()).toMatchObject([{ state: 'failing' }])
    expect(runs[1]).toBe(mirror.toString())
    expect(followed).toHaveLength(1)
    state = 'equal'
    await clock.advance(5000)
    await eventually(() => followed.length === 2)
    expect(runs[2], 'though only the mirror is connected').toBe(peerOf(writer.key.publicKey))
    expect(following.status()).toMatchObject([{ state: 'waiting' }])
  })

  test('is compared with a peer that holds it, and with its writer once that should have signed again', async () => {
    await following.heard(mirror, headOf())
    state = 'equal'
    await clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => followed.length === 2)
    await clock.advance(DAY_MS + HOUR_MS, HOUR_MS / 2)
    await eventually(() => followed.length === 3)
    expect(runs.slice(1)).toEqual([mirror.toString(), peerOf(writer.key.publicKey)])
  })

  test('is of one library of a node, whichever others of it are followed', async () => {
    await following.stop()
    const { publicKey } = writer.key
    const [ofHome, ofTools] = [peerOf(publicKey), `${peerOf(publicKey)}/tools`]
    const library = libraryIdOf(publicKey, 'tools')
    following = open([ofHome, ofTools])
    following.start()
    await eventually(() => asked.length === 3)
    expect(asked.slice(1)).toEqual([ofHome, ofTools])
    expect(following.status()).toMatchObject([
      { writer: ofHome, name: 'home', address: ofHome },
      { writer: ofHome, name: 'tools', address: ofTools }
    ])
    await eventually(() => libraries.length > 0)
    expect(libraries.at(-1), 'what may be closed is for its node only').toEqual([
      reader.library,
      writer.library
    ])
    const unknown = { code: 'INVALID_ARGUMENT', message: 'this library is not followed here' }
    await expect(following.heard(mirror, headLike({ library }))).rejects.toMatchObject(unknown)
    const nothing = headLike({ library: libraryIdOf(publicKey, 'nothing') })
    await expect(following.heard(mirror, nothing)).rejects.toMatchObject(unknown)
    connected.push(ofHome)
    for (const listener of onConnected) listener(ofHome)
    await eventually(() => libraries.some(ids => ids.length === 3))
    expect(libraries.at(-1)).toEqual([reader.library, writer.library, library])
    await following.heard(peerIdFromString(ofHome), headLike({ library }))
    await eventually(() => asked.length === 4)
    expect(asked[3], 'the one that the head is of').toBe(ofTools)
    const ofAnother = headLike({ library }, keyOf('mallory'))
    const heard = following.heard(peerIdFromString(ofHome), ofAnother)
    await expect(heard).rejects.toMatchObject({ code: 'HEAD_INVALID' })
  })

  test('that is to join home does so after each change, and not again before', async () => {
    expect(united, 'a mirror').toEqual([])
    await following.stop()
    following = open([`${peerOf(writer.key.publicKey)} none union`])
    following.start()
    await eventually(() => followed.length === 2)
    expect(united).toEqual([writer.library])
    expect(following.status()).toMatchObject([{ mode: 'union' }])
    await clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => followed.length === 3)
    expect(united).toHaveLength(1)
    root = 'another'
    await clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => followed.length === 4)
    expect(united).toHaveLength(2)
  })

  test('tells peers what is watched, when they come too', async () => {
    await eventually(() => watched.length === 1)
    const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    connected.push(other)
    for (const listener of onConnected) listener(other)
    await eventually(() => watched.length === 2)
    expect(watched).toEqual([mirror.toString(), other])
  })
})

describe('what is watched at peers', () => {
  test('is the own library too, whether or not others are followed', async () => {
    await eventually(() => libraries.length === 1)
    expect(libraries[0]).toEqual([reader.library, writer.library])
    await following.stop()
    following = open([])
    following.start()
    await eventually(() => watched.length === 2)
    expect(libraries[1]).toEqual([reader.library])
    await reader.publish(numbered(50))
    const own = readHead(reader.reader, reader.library, reader.key.publicKey)!
    const { bytes: _, hash, writer: __, ...last } = own
    const lost = signHead({ ...last, revision: own.revision + 1, previous: hash }, reader.key)
    await following.heard(mirror, lost.bytes)
    const now = readHead(reader.reader, reader.library, reader.key.publicKey)!
    expect(now.epoch, 'it was rolled back, and learns so').toBeGreaterThan(own.epoch)
  })

  test('is told to as many peers as there may be, the writers first', async () => {
    const many = Array.from({ length: 100 }, (_, number) => `peer ${number}`)
    const chosen = peersToWatch(many, new Set(['peer 98', 'peer 99', 'away']))
    expect(chosen).toEqual(['peer 98', 'peer 99', ...many.slice(0, 62)])
    await eventually(() => watched.length === 1)
    const others = await Promise.all(Array.from({ length: 70 }, () => generateKeyPair('Ed25519')))
    connected = others.map(key => peerIdFromPrivateKey(key).toString())
    for (const listener of onConnected) for (const peer of connected) listener(peer)
    await eventually(() => watched.length === 65)
    expect(watched.slice(1).sort()).toEqual(connected.slice(0, 64).sort())
  })
})
