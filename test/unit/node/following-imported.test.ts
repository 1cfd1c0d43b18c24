/** What a standing subscription does with a copy that a file has brought, where no peer can be asked. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { subscriptionsOf } from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { libraryIdOf } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { keyOf } from '../records/examples.ts'
import { FollowingWorld } from './following-world.ts'

let world: FollowingWorld
beforeEach(async () => {
  world = await FollowingWorld.open()
  // Nobody answers any more.
  world.outcome = () => {
    throw new CatalogError('TIMEOUT', 'no network')
  }
})
afterEach(() => world.close())

const copy = { root: 'of the file', state: 'updated' as const }

async function followAs(how: string): Promise<void> {
  await world.following.change(subscriptionsOf([`${peerOf(world.writer.key.publicKey)} ${how}`]))
  await eventually(() => world.runs.length === 2)
}

describe('a copy that a file has brought', () => {
  test('joins home, and its content is gone through, as after a session; once, and without a peer', async () => {
    await followAs('all union tag:a')
    expect(world.united).toEqual([])
    world.following.imported(world.writer.library, copy)
    await eventually(() => world.followed.length === 2)
    expect(world.united).toEqual([world.writer.library])
    expect(world.filters).toEqual(['tag:a'])
    world.following.imported(world.writer.library, { ...copy, state: 'equal' })
    await eventually(() => world.followed.length === 3)
    expect(world.united, 'it had joined').toHaveLength(1)
    expect(world.runs).toHaveLength(2)
  })

  test('of a mirror only has its content gone through, and of what nobody follows nothing is done', async () => {
    world.following.imported(libraryIdOf(keyOf('other').publicKey, 'home'), copy)
    world.following.imported(world.writer.library, copy)
    await eventually(() => world.followed.length === 2)
    expect(world.united).toEqual([])
  })

  test('joins in the way that holds by then, and one that fails is no failure of the subscription', async () => {
    world.uniting = signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    await followAs('none union tag:a')
    world.following.imported(world.writer.library, copy)
    await eventually(() => world.united.length === 1)
    world.uniting = async () => undefined
    await world.following.change(subscriptionsOf([`${peerOf(world.writer.key.publicKey)} none union tag:b`]))
    await eventually(() => world.followed.length === 2)
    expect(world.filters).toEqual(['tag:a', 'tag:b'])
    world.uniting = async () => {
      throw new CatalogError('DISK_FULL', 'no room')
    }
    const { error } = world.following.status()[0]!
    world.following.imported(world.writer.library, { ...copy, root: 'of another' })
    await eventually(() => world.united.length === 3)
    expect(world.following.status()[0]!.error).toBe(error)
    expect(world.followed).toHaveLength(2)
  })

  test('waits while nothing is followed, as in a pause', async () => {
    await followAs('none union')
    await world.following.pause()
    world.following.imported(world.writer.library, copy)
    // Turns of the event loop, in which it would begin.
    await world.clock.advance(1000)
    expect(world.united).toEqual([])
    world.following.resume()
    await eventually(() => world.united.length === 1)
  })
})
