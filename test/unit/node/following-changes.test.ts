/** Subscriptions that change while they are followed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { subscriptionsOf } from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { libraryIdOf } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { keyOf } from '../records/examples.ts'
import { numbered } from '../sync/homes.ts'
import { DAY_MS, FollowingWorld, HOUR_MS } from './following-world.ts'

let world: FollowingWorld
beforeEach(async () => {
  world = await FollowingWorld.open()
})
afterEach(() => world.close())

describe('subscriptions that change', () => {
  const other = peerOf(keyOf('other').publicKey)
  const otherHome = libraryIdOf(keyOf('other').publicKey, 'home')
  const change = (...lines: string[]): Promise<void> => world.following.change(subscriptionsOf(lines))

  test('are compared at once, peers are told of them, and what is gone leaves nothing behind', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    await eventually(() => world.libraries.length === 1)
    await change(ofHome, `${other} none`)
    await eventually(() => world.followed.length === 2)
    expect(world.asked.slice(1), 'the new one, and no other').toEqual([other])
    await eventually(() => world.libraries.length === 2)
    expect(world.libraries[1]).toEqual([world.reader.library, world.writer.library, otherHome])
    await change(other)
    expect(world.following.status().map(({ address }) => address)).toEqual([other])
    expect(world.ended).toMatchObject([{ writer: ofHome, content: 'none', mode: 'mirror' }])
    await world.clock.advance(9000, 1000)
    expect(world.libraries, 'a peer takes no more').toHaveLength(2)
    await world.clock.advance(1000)
    await eventually(() => world.libraries.length === 3)
    expect(world.libraries[2]).toEqual([world.reader.library, otherHome])
    await world.writer.publish(numbered(2))
    const heard = world.following.heard(world.mirror, world.headOf())
    await expect(heard).rejects.toMatchObject({ message: 'this library is not followed here' })
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.followed.length === 3)
    expect(world.asked.slice(2)).toEqual([other])
    await world.following.stop()
    const [status] = world.following.status()
    world.following = world.open([other])
    world.following.start()
    await eventually(() => world.followed.length === 4 && world.libraries.length > 3)
    expect(world.following.status(), 'as a start with these lines').toEqual([status])
    expect(world.libraries.at(-1)).toEqual(world.libraries[2])
  })

  test('go through a union again when another one has brought releases that it may say something of', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    await change(`${ofHome} none union`)
    await eventually(() => world.followed.length === 2)
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.followed.length === 3)
    expect(world.united, 'not by itself').toHaveLength(1)
    await change(`${ofHome} none union`, `${other} none union`)
    await eventually(() => world.united.length === 2)
    await world.clock.advance(DAY_MS, HOUR_MS / 2)
    await eventually(() => world.united.length === 3)
    expect(world.united[2]).toEqual(world.writer.library)
  })

  test('end the session of one that is gone, and nothing is done for it when that is said', async () => {
    const said: string[] = []
    world.session = signal =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          said.push(signal.reason.code)
          setTimeout(() => reject(signal.reason), 5)
        })
      )
    await change(peerOf(world.writer.key.publicKey), other)
    await eventually(() => world.runs.length === 2)
    expect(world.following.status()[1]).toMatchObject({ state: 'running' })
    expect(world.following.status()[1], 'which nobody knows yet').not.toHaveProperty('nextAt')
    const changed = change(peerOf(world.writer.key.publicKey))
    expect(world.ended, 'not yet').toEqual([])
    await changed
    expect(said).toEqual(['ABORTED'])
    expect(world.ended).toMatchObject([{ writer: other }])
    expect(world.followed).toHaveLength(1)
    await world.clock.advance(DAY_MS / 2, HOUR_MS / 2)
    expect(world.runs, 'nor is it tried again').toHaveLength(2)
  })

  test('have a library that holds in another way compared again, and end what was done in the other', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    await eventually(() => world.libraries.length === 1)
    await change(ofHome)
    expect(world.ended, 'as it was').toEqual([])
    await change(`${ofHome} all union`)
    expect(world.ended).toMatchObject([{ writer: ofHome, content: 'none', mode: 'mirror' }])
    await eventually(() => world.followed.length === 2)
    expect(world.united).toEqual([world.writer.library])
    expect(world.following.status()).toMatchObject([{ content: 'all', mode: 'union' }])
    await world.clock.advance(20_000, 1000)
    expect(world.libraries, 'nothing else is watched').toHaveLength(1)
  })

  test('have what fits a filter join, and go through the union again when that is another one', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    await change(`${ofHome} none union tag:a`)
    await eventually(() => world.followed.length === 2)
    expect(world.following.status()).toMatchObject([{ mode: 'union', tag: 'a' }])
    await change(`${ofHome} none union type:vm prefix:b`)
    await eventually(() => world.followed.length === 3)
    await change(`${ofHome} none union`)
    await eventually(() => world.followed.length === 4)
    expect(world.filters).toEqual(['tag:a', 'type:vm prefix:b', ''])
    expect(world.following.status()[0]).not.toHaveProperty('type')
  })

  test('end what joins by another filter, and what is under way ends as nothing of theirs', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    world.uniting = signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    await change(`${ofHome} none union tag:a`)
    await eventually(() => world.united.length === 1)
    world.uniting = async () => undefined
    await change(`${ofHome} none union tag:b`)
    await eventually(() => world.followed.length === 2)
    expect(world.filters).toEqual(['tag:a', 'tag:b'])
    expect(world.following.status()).toMatchObject([{ state: 'waiting', tag: 'b' }])
    expect(world.following.status()[0], 'that is no failure').not.toHaveProperty('error')
  })

  test('that come while one is compared are not lost with what that session brings', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    let go: () => void = () => undefined
    world.session = () => new Promise(resolve => (go = resolve))
    await change(`${ofHome} all`)
    await eventually(() => world.runs.length === 2)
    await change(`${ofHome} all tag:b`)
    world.session = async () => undefined
    go()
    await eventually(() => world.followed.length === 2)
    expect(world.runs, 'compared once more').toHaveLength(3)
  })

  test('are tried at once, however often the ones before were in vain', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    world.outcome = () => {
      throw new CatalogError('DIAL_FAILED', 'away')
    }
    await change(`${ofHome} wanted`)
    await eventually(() => world.following.status()[0]?.error === 'DIAL_FAILED')
    world.outcome = () => undefined
    await change(`${ofHome} wanted tag:b`)
    await eventually(() => world.followed.length === 2)
  })

  test('into the union of a library that is not for everybody say so, and ask for it once an interval', async () => {
    const ofHome = peerOf(world.writer.key.publicKey)
    world.outcome = () => {
      throw new CatalogError('NOT_PERMITTED', 'does not join')
    }
    await change(`${ofHome} none union`)
    await eventually(() => world.following.status()[0]?.error === 'NOT_PERMITTED')
    expect(world.following.status()).toMatchObject([{ state: 'failing' }])
    await world.writer.publish(numbered(2))
    await world.following.heard(world.mirror, world.headOf())
    await world.clock.advance(DAY_MS - HOUR_MS, HOUR_MS / 2)
    expect(world.runs, 'nor for a newer head').toHaveLength(2)
    expect(world.searches, 'nobody else could do better').toBe(0)
    await world.clock.advance(HOUR_MS, HOUR_MS / 2)
    await eventually(() => world.runs.length === 3)
    world.outcome = () => undefined
    await change(ofHome)
    await eventually(() => world.followed.length === 2)
    expect(world.following.status()[0], 'as a mirror at once').not.toHaveProperty('error')
  })

  test('change what is done when it goes on, while it pauses', async () => {
    await world.following.pause()
    await change(other)
    expect(world.runs).toHaveLength(1)
    world.following.resume()
    await eventually(() => world.followed.length === 2)
    expect(world.asked.slice(1)).toEqual([other])
  })
})
