/** Daemons that follow each other's libraries. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAX_SERVED_SESSIONS, MAX_SESSIONS_PER_PEER } from '../../protocols/index.ts'
import { Hostile } from './support/hostile.ts'
import { type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let ada: TestDaemon
let bob: TestDaemon
let eve: TestDaemon

beforeAll(async () => {
  net = await TestNet.create()
  ada = await net.start('ada')
  ;[bob, eve] = await Promise.all([net.start('bob', { join: ada }), net.start('eve', { join: ada })])
})
afterAll(() => net.destroy())

const small = (name: string, version = '1.0.0') => ({
  name,
  version,
  files: { 'readme.md': `${name} ${version}` }
})

// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
async function sync(from: TestDaemon, peer: TestDaemon, more: object = {}): Promise<any> {
  const operation = await from.operation('/v1/sync', { peer: peer.address, ...more })
  if (operation.state !== 'done') throw new Error(JSON.stringify(operation.error))
  return operation.result!
}

const names = async (daemon: TestDaemon): Promise<string[]> =>
  (await daemon.ok('GET', '/v1/packages')).packages.map((item: { name: string }) => item.name)

describe('a library that is followed', () => {
  test('is empty before its writer publishes', async () => {
    const result = await sync(bob, ada)
    expect(result).toMatchObject({ peerId: ada.peerId, state: 'equal', received: 0, sent: 0, records: 0 })
    expect(result.root).toBe(result.peerRoot)
  })

  test('comes whole, with one root on both sides', async () => {
    for (const name of ['one', 'two', 'three']) await ada.publish(small(name))
    const dry = await sync(bob, ada, { dryRun: true })
    expect(dry).toMatchObject({ state: 'updated', dryRun: true, received: 3 })
    expect(await names(bob)).toEqual([])
    const result = await sync(bob, ada)
    expect(result).toMatchObject({ state: 'updated', received: 3, removed: 0, records: 3, dryRun: false })
    expect(result.root).toBe(result.peerRoot)
    expect(dry.root).toBe(result.root)
    expect(await names(bob)).toEqual(['one', 'three', 'two'])
    expect(await sync(bob, ada)).toMatchObject({ state: 'equal', received: 0, roundTrips: 1, records: 3 })
  })

  test('follows what is withdrawn, and what is said anew', async () => {
    const { record } = await ada.publish(small('four'))
    await ada.publish(small('five'))
    const told = { way: 'log', roundTrips: 1 }
    expect(await sync(bob, ada)).toMatchObject({ received: 2, removed: 0, records: 5, ...told })
    await ada.ok('DELETE', `/v1/releases?spec=${record.id}`)
    const result = await sync(bob, ada)
    expect(result).toMatchObject({ received: 0, removed: 1, records: 4, ...told })
    expect(result.root).toBe(result.peerRoot)
  })

  test('is made equal in the way that is asked for', async () => {
    const full = await sync(bob, ada, { strategy: 'full' })
    expect(full).toMatchObject({ state: 'updated', way: 'stream', received: 4, records: 4 })
    await ada.publish(small('six'))
    const compared = await sync(bob, ada, { strategy: 'differential' })
    expect(compared).toMatchObject({ received: 1, records: 5 })
    expect(compared.way).not.toBe('log')
    expect(compared.root).toBe(compared.peerRoot)
  })

  test('can be had from another who follows it, while its writer is away', async () => {
    const before = (await sync(bob, ada)).root
    await ada.stop()
    const result = await sync(eve, bob, { library: ada.peerId })
    expect(result).toMatchObject({ peerId: bob.peerId, writer: ada.peerId, received: 5, root: before })
    const { libraries } = await eve.ok('GET', '/v1/sync')
    expect(libraries).toMatchObject([{ writer: ada.peerId, records: 5, root: before, isExpired: false }])
  })

  test('brings content where that is asked for, of the releases that are meant', async () => {
    const zoe = await net.start('zoe', { join: bob })
    for (const [name, version] of [
      ['other', '1.0.0'],
      ['tool-a', '1.0.0'],
      ['tool-b', '1.0.0']
    ])
      await bob.publish(small(name!, version))
    const none = await zoe.operation('/v1/sync', { peer: bob.address, prefix: 'tool-' })
    expect(none.error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    const dry = await zoe.operation('/v1/sync', { peer: bob.address, dryRun: true, content: 'all' })
    expect(dry.error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    const nobody = await zoe.operation('/v1/sync', { peer: bob.address, content: 'all', publisher: 'me' })
    expect(nobody.error).toMatchObject({ code: 'KEY_INVALID' })
    const result = await sync(zoe, bob, { content: 'all', prefix: 'tool-' })
    expect(result).toMatchObject({ received: 3, content: { fetched: 2, failed: 0 } })
    const local = async () =>
      (await zoe.ok('GET', '/v1/packages')).packages.map((item: { name: string; local: string }) => [
        item.name,
        item.local
      ])
    expect(await local()).toEqual([
      ['other', 'none'],
      ['tool-a', 'complete'],
      ['tool-b', 'complete']
    ])
    await bob.publish(small('tool-a', '1.1.0'))
    await bob.publish(small('third'))
    expect(await sync(zoe, bob, { content: 'wanted' })).toMatchObject({ content: { fetched: 1, failed: 0 } })
    expect(await sync(zoe, bob)).not.toHaveProperty('content')
  })

  test('joins home where that is asked for, and is found there by others when its writer has let go of it', async () => {
    const [source, home, reader] = await Promise.all(
      ['source', 'union', 'reader'].map(name => net.start(name, { join: bob }))
    )
    for (const name of ['left', 'taken', 'taken-too']) await source!.publish(small(name))
    await sync(home!, source!)
    const union = { mode: 'union', prefix: 'taken' }
    expect(await sync(home!, source!, { ...union, dryRun: true })).toMatchObject({
      joined: 2,
      state: 'equal'
    })
    expect(await sync(reader!, home!)).toMatchObject({ records: 0 })
    expect(await sync(home!, source!, union)).toMatchObject({ joined: 2 })
    expect(await sync(home!, source!, union)).toMatchObject({ joined: 0 })
    await source!.ok('DELETE', '/v1/releases?spec=taken@1.0.0')
    expect(await sync(home!, source!, { mode: 'union' })).toMatchObject({ removed: 1, joined: 1 })
    const { records } = await sync(reader!, home!)
    expect(records).toBe(3)
    expect(await names(reader!)).toEqual(['left', 'taken', 'taken-too'])
  })

  test('is let go of when nobody wants it any more', async () => {
    await eve.ok('DELETE', `/v1/sync/${ada.peerId}`)
    expect((await eve.ok('GET', '/v1/sync')).libraries).toEqual([])
    expect((await eve.api('DELETE', `/v1/sync/${ada.peerId}`)).status).toBe(404)
    expect(await names(eve), 'what is known stays known').toContain('one')
  })

  test('is shown to one more, whoever keeps all places by taking its time', async () => {
    const { record } = await bob.publish(small('wanted-by-many'))
    const hostile = await Hostile.start()
    try {
      for (let index = 0; index < MAX_SERVED_SESSIONS / MAX_SESSIONS_PER_PEER; index++) {
        const slow = await hostile.join(bob)
        expect(await slow.attack('sessions that take their time', record.id.toString())).toEqual({
          done: MAX_SESSIONS_PER_PEER,
          refused: 0
        })
      }
      expect((await sync(eve, bob)).records).toBeGreaterThan(0)
    } finally {
      await hostile.stop()
    }
  })
})
