/** Subscriptions at work: what is heard, what is done about it, and with whom. */
import { peerIdFromString } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { peersToWatch } from '../../../node/services/watching.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { libraryIdOf, readHead, signHead } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { keyOf } from '../records/examples.ts'
import { numbered } from '../sync/homes.ts'
import { hashOf } from '../sync/tries.ts'
import { DAY_MS, FollowingWorld, HOUR_MS, MINUTE_MS, newPeerId } from './following-world.ts'

let world: FollowingWorld

beforeEach(async () => {
  world = await FollowingWorld.open()
})
afterEach(() => world.close())

describe('a head that a peer tells', () => {
  test('is followed at once, from who told it, when it is newer than the copy', async () => {
    expect(world.runs).toEqual([peerOf(world.writer.key.publicKey)])
    await world.following.heard(world.mirror, world.headOf())
    await world.clock.advance(1000)
    expect(world.runs, 'that one is here').toHaveLength(1)
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2)
    expect(world.runs[1]).toBe(world.mirror.toString())
  })

  test('costs the same however many libraries are here', async () => {
    await world.writer.publish(numbered(2))
    const before = world.reader.walks
    await world.following.heard(world.mirror, world.headOf())
    expect(world.takes).toBe(1)
    expect(world.reader.walks).toBe(before)
  })

  test('wakes no worker when it is the one that is here, of a copy or of the own library', async () => {
    await world.reader.publish(numbered(50))
    await world.following.heard(world.mirror, world.headOf())
    await world.following.heard(
      world.mirror,
      readHead(world.reader.reader, world.reader.library, world.reader.key.publicKey)!.bytes
    )
    expect(world.takes).toBe(0)
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.runs.length === 2)
    expect(world.runs[1], 'who told it has the library').toBe(world.mirror.toString())
  })

  test('that contradicts another is kept as evidence, and followed by nobody', async () => {
    await world.following.heard(world.mirror, world.headLike({ root: hashOf('a second story') }))
    expect(await world.reader.sets.evidence()).toHaveLength(1)
    await world.clock.advance(1000)
    expect(world.runs).toHaveLength(1)
  })

  test('and that does not verify, or is of a library that nobody follows, is refused', async () => {
    const forged = world.headOf().map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte))
    await expect(world.following.heard(world.mirror, forged)).rejects.toBeInstanceOf(CatalogError)
    await expect(world.following.heard(world.mirror, Buffer.from('nothing'))).rejects.toMatchObject({
      code: 'HEAD_INVALID'
    })
    expect(world.violations).toHaveLength(2)
    const other = world.headLike({ library: hashOf('another') }, keyOf('mallory'))
    await expect(world.following.heard(world.mirror, other)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT'
    })
    expect(world.violations, 'that is no lie').toHaveLength(2)
    expect(world.runs).toHaveLength(1)
  })

  test('and that another key than the one of the library has signed, is refused before it takes any room', async () => {
    const later = { epoch: Number.MAX_SAFE_INTEGER }
    const ofAnother = world.headLike(later, keyOf('mallory'))
    await expect(world.following.heard(world.mirror, ofAnother)).rejects.toMatchObject({
      code: 'HEAD_INVALID'
    })
    const ofOwn = world.headLike({ ...later, library: world.reader.library }, keyOf('mallory'))
    await expect(world.following.heard(world.mirror, ofOwn)).rejects.toMatchObject({ code: 'HEAD_INVALID' })
    expect(world.violations).toEqual(['HEAD_INVALID', 'HEAD_INVALID'])
    for (const library of [world.writer.library, world.reader.library])
      expect(readHead(world.reader.reader, library, keyOf('mallory').publicKey)).toBeUndefined()
    await world.clock.advance(1000)
    expect(world.runs, 'nobody is asked for it').toHaveLength(1)
  })

  test('of this node that it does not remember begins a new epoch', async () => {
    await world.reader.publish(numbered(50))
    const own = readHead(world.reader.reader, world.reader.library, world.reader.key.publicKey)!
    const { bytes: _, hash, writer: __, ...last } = own
    const lost = signHead({ ...last, revision: own.revision + 1, previous: hash }, world.reader.key)
    await world.following.heard(world.mirror, lost.bytes)
    const now = readHead(world.reader.reader, world.reader.library, world.reader.key.publicKey)!
    expect(now.epoch).toBeGreaterThan(own.epoch)
  })
})

describe('a subscription', () => {
  test('that fails is tried again later and later, and with others', async () => {
    world.outcome = () => {
      throw new CatalogError('DIAL_FAILED', 'away')
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2)
    expect(world.following.status()).toMatchObject([
      { state: 'failing', error: 'DIAL_FAILED', nextAt: expect.stringMatching(/^20/) }
    ])
    await world.clock.advance(200, 50)
    expect(world.runs, 'not at once').toHaveLength(2)
    world.connected = [world.mirror.toString(), peerOf(world.writer.key.publicKey)]
    world.outcome = () => undefined
    await world.clock.advance(500, 50)
    await eventually(() => world.followed.length === 2)
    expect(world.runs[2], 'not with who failed').toBe(peerOf(world.writer.key.publicKey))
    expect(world.following.status()).toMatchObject([{ state: 'waiting' }])
    expect(world.following.status()[0]).not.toHaveProperty('error')
  })

  test('that its writer did not know of is compared soon when that tells its head, however often it was in vain', async () => {
    const writer = peerOf(world.writer.key.publicKey)
    world.connected = [writer]
    world.outcome = () => {
      throw new CatalogError('NOT_FOUND', 'this node has no such library')
    }
    for (let waitMs = DAY_MS, runs = 2; runs < 9; waitMs = 500 * 4 ** (runs - 2), runs++) {
      await world.clock.advance(waitMs, waitMs / 8)
      await eventually(() => world.runs.length === runs)
    }
    world.outcome = () => undefined
    await world.clock.advance(6000, 1000)
    expect(world.runs, 'it is put off for minutes').toHaveLength(8)
    await world.writer.publish(numbered(2))
    await world.following.heard(peerIdFromString(writer), world.headOf())
    await eventually(() => world.followed.length === 2)
  })

  test('that finds a peer busy is compared with it when that says, and nobody counts it as a failure', async () => {
    let retryAfterMs = 30_000
    world.outcome = () => {
      throw new CatalogError('BUSY', 'all places are taken', { details: { retryAfterMs } })
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2)
    expect(world.following.status()).toMatchObject([{ state: 'waiting' }])
    expect(world.following.status()[0]).not.toHaveProperty('error')
    await world.clock.advance(29_000, 1000)
    expect(world.runs, 'not before').toHaveLength(2)
    retryAfterMs = DAY_MS
    await world.clock.advance(1000)
    await eventually(() => world.runs.length === 3)
    await world.clock.advance(60_000, 10_000)
    await eventually(() => world.runs.length === 4)
    world.outcome = () => undefined
    await world.clock.advance(60_000, 10_000)
    await eventually(() => world.followed.length === 2)
    expect(world.runs.slice(1), 'the one that told').toEqual(Array(4).fill(world.mirror.toString()))
  })

  test('goes on with the same peer where a session had not the time for all of it, which is no failure', async () => {
    let isOver = true
    world.outcome = () => {
      if (!isOver) return
      isOver = false
      throw new CatalogError('TIMEOUT', 'a session has ended', { details: { isSessionOver: true } })
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2 && world.following.status()[0]?.state === 'waiting')
    expect(world.following.status()[0]).not.toHaveProperty('error')
    await world.clock.advance(1000)
    await eventually(() => world.followed.length === 2)
    expect(world.runs.slice(1)).toEqual([world.mirror.toString(), world.mirror.toString()])
  })

  test('that finds a peer busy again and again goes to another one', async () => {
    world.outcome = peer => {
      if (peer === world.mirror.toString()) throw new CatalogError('BUSY', 'all places are taken')
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await world.clock.advance(30_000, 1000)
    await eventually(() => world.followed.length === 2)
    expect(world.runs.slice(1, -1)).toEqual(Array(11).fill(world.mirror.toString()))
    expect(world.runs.at(-1)).toBe(peerOf(world.writer.key.publicKey))
  })

  test('is not begun with a peer that was busy for another one, nor with more at once than a peer serves', async () => {
    await world.following.stop()
    const ofHome = peerOf(world.writer.key.publicKey)
    world.following = world.open([ofHome, ...['a', 'b', 'c', 'd', 'e'].map(name => `${ofHome}/${name}`)])
    world.outcome = () => {
      throw new CatalogError('BUSY', 'all places are taken')
    }
    world.following.start()
    await eventually(() => world.runs.length === 3)
    await world.clock.advance(500)
    expect(world.runs, 'two of the six').toHaveLength(3)
    world.outcome = () => undefined
    await world.clock.advance(1000, 500)
    await eventually(() => world.followed.length === 7)
    expect(world.runs).toHaveLength(9)
  })

  test('goes to another peer where one draws a session out, and not before what it brought has taken its time', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    world.connected = [world.mirror.toString(), ofHome]
    const slow = async (signal: AbortSignal): Promise<void> => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    world.session = async (signal, bring, peer) => {
      if (peer === ofHome) return
      bring(60 * 32 * 1024)
      await slow(signal)
    }
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2)
    await world.clock.advance(3 * MINUTE_MS - 1000, 10_000)
    expect(world.following.status()).toMatchObject([{ state: 'running' }])
    await world.clock.advance(1000)
    await eventually(() => world.following.status()[0]?.error === 'TIMEOUT')
    await world.clock.advance(5000)
    await eventually(() => world.followed.length === 2)
    expect(world.runs.slice(1)).toEqual([world.mirror.toString(), ofHome])
  })

  test('is tried with its writer where a peer that holds it has an earlier state, and its content is left', async () => {
    world.state = 'behind'
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await eventually(() => world.runs.length === 2)
    expect(world.following.status()).toMatchObject([{ state: 'failing' }])
    expect(world.runs[1]).toBe(world.mirror.toString())
    expect(world.followed).toHaveLength(1)
    world.state = 'equal'
    await world.clock.advance(5000)
    await eventually(() => world.followed.length === 2)
    expect(world.runs[2], 'though only the mirror is connected').toBe(peerOf(world.writer.key.publicKey))
    expect(world.following.status()).toMatchObject([{ state: 'waiting' }])
  })

  test('is compared with a peer that holds it, and with its writer once that should have signed again', async () => {
    await world.following.heard(world.mirror, world.headOf())
    world.state = 'equal'
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.followed.length === 2)
    await world.clock.advance(DAY_MS + HOUR_MS, HOUR_MS / 2)
    await eventually(() => world.followed.length === 3)
    expect(world.runs.slice(1)).toEqual([world.mirror.toString(), peerOf(world.writer.key.publicKey)])
  })

  test('is of one library of a node, whichever others of it are followed', async () => {
    await world.following.stop()
    // What the one before told would be taken for what this one does.
    world.libraries.length = 0
    const { publicKey } = world.writer.key
    const [ofHome, ofTools] = [peerOf(publicKey), `${peerOf(publicKey)}/tools`]
    const library = libraryIdOf(publicKey, 'tools')
    world.following = world.open([ofHome, ofTools])
    world.following.start()
    await eventually(() => world.asked.length === 3)
    expect(world.asked.slice(1)).toEqual([ofHome, ofTools])
    expect(world.following.status()).toMatchObject([
      { writer: ofHome, name: 'home', address: ofHome },
      { writer: ofHome, name: 'tools', address: ofTools }
    ])
    await eventually(() => world.libraries.length > 0)
    expect(world.libraries.at(-1), 'what may be closed is for its node only').toEqual([
      world.reader.library,
      world.writer.library
    ])
    const unknown = { code: 'INVALID_ARGUMENT', message: 'this library is not followed here' }
    await expect(world.following.heard(world.mirror, world.headLike({ library }))).rejects.toMatchObject(
      unknown
    )
    const nothing = world.headLike({ library: libraryIdOf(publicKey, 'nothing') })
    await expect(world.following.heard(world.mirror, nothing)).rejects.toMatchObject(unknown)
    world.connected.push(ofHome)
    for (const listener of world.onConnected) listener(ofHome)
    await eventually(() => world.libraries.some(ids => ids.length === 3))
    expect(world.libraries.at(-1)).toEqual([world.reader.library, world.writer.library, library])
    await world.following.heard(peerIdFromString(ofHome), world.headLike({ library }))
    await eventually(() => world.asked.length === 4)
    expect(world.asked[3], 'the one that the head is of').toBe(ofTools)
    const ofAnother = world.headLike({ library }, keyOf('mallory'))
    const heard = world.following.heard(peerIdFromString(ofHome), ofAnother)
    await expect(heard).rejects.toMatchObject({ code: 'HEAD_INVALID' })
  })

  test('that is to join home does so after each change, and not again before', async () => {
    expect(world.united, 'a mirror').toEqual([])
    await world.following.stop()
    world.following = world.open([`${peerOf(world.writer.key.publicKey)} none union`])
    world.following.start()
    await eventually(() => world.followed.length === 2)
    expect(world.united).toEqual([world.writer.library])
    expect(world.following.status()).toMatchObject([{ mode: 'union' }])
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.followed.length === 3)
    expect(world.united).toHaveLength(1)
    world.root = 'another'
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.followed.length === 4)
    expect(world.united).toHaveLength(2)
  })

  test('tells peers what is watched, when they come too', async () => {
    await eventually(() => world.watched.length === 1)
    const other = (await newPeerId()).toString()
    world.connected.push(other)
    for (const listener of world.onConnected) listener(other)
    await eventually(() => world.watched.length === 2)
    expect(world.watched).toEqual([world.mirror.toString(), other])
  })
})

describe('what is watched at peers', () => {
  test('is the own library too, whether or not others are followed', async () => {
    await eventually(() => world.libraries.length === 1)
    expect(world.libraries[0]).toEqual([world.reader.library, world.writer.library])
    await world.following.stop()
    world.following = world.open([])
    world.following.start()
    await eventually(() => world.watched.length === 2)
    expect(world.libraries[1]).toEqual([world.reader.library])
    await world.reader.publish(numbered(50))
    const own = readHead(world.reader.reader, world.reader.library, world.reader.key.publicKey)!
    const { bytes: _, hash, writer: __, ...last } = own
    const lost = signHead({ ...last, revision: own.revision + 1, previous: hash }, world.reader.key)
    await world.following.heard(world.mirror, lost.bytes)
    const now = readHead(world.reader.reader, world.reader.library, world.reader.key.publicKey)!
    expect(now.epoch, 'it was rolled back, and learns so').toBeGreaterThan(own.epoch)
  })

  test('is told to as many peers as there may be, the writers first', async () => {
    const many = Array.from({ length: 100 }, (_, number) => `peer ${number}`)
    const chosen = peersToWatch(many, peer => ['peer 98', 'peer 99', 'away'].includes(peer))
    expect(chosen).toEqual(['peer 98', 'peer 99', ...many.slice(0, 62)])
    await eventually(() => world.watched.length === 1)
    const others = await Promise.all(Array.from({ length: 70 }, newPeerId))
    world.connected = others.map(peer => peer.toString())
    for (const listener of world.onConnected) for (const peer of world.connected) listener(peer)
    await eventually(() => world.watched.length === 65)
    expect(world.watched.slice(1).sort()).toEqual(world.connected.slice(0, 64).sort())
  })
})
