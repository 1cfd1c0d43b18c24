/** Fetching what is known from closed libraries only: who is asked, and that nobody else is. */
import { beforeEach, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { context, FETCHED, fetching, KEY, newWorld, record, world } from './fetching-world.ts'

const RELEASE = record('1.0.0')

beforeEach(() => {
  newWorld()
  world.local = [RELEASE]
  world.closed = new Set([RELEASE.id.toString()])
  world.members = ['member', 'other-member']
  world.peers = { stranger: [record('9.9.9', SigningKey.generate())] }
})

it.each(['demo', 'demo@^1', 'demo@1.0.0', RELEASE.id.toString()])(
  '%s: its content comes from members, and strangers hear neither its name nor its id',
  async spec => {
    const { version } = await fetching().fetch({ spec }, context())
    expect(version).toBe('1.0.0')
    expect(world.transfers).toEqual([['member', 'other-member']])
    expect(world.told).toEqual([])
  }
)

it.each(['demo@^2', 'demo@9.9.9'])('%s, which only strangers have, is not found', async spec => {
  await expect(fetching().fetch({ spec }, context())).rejects.toMatchObject({
    code: 'RELEASE_NOT_FOUND',
    message: expect.stringContaining('nobody is asked for demo')
  })
  expect(world.told).toEqual([])
})

it('a publisher who is unknown here is not looked for under such a name', async () => {
  const publisher = formatPublicKey(SigningKey.generate().publicKey)
  await expect(fetching().fetch({ spec: 'demo', publisher }, context())).rejects.toMatchObject({
    code: 'RELEASE_NOT_FOUND'
  })
  expect(world.told).toEqual([])
})

it('is tried with members who are away when those who are connected have nothing', async () => {
  world.transfer = async round => {
    if (round < 3) throw new CatalogError('NOT_FOUND', 'the content of this release is not here')
    return FETCHED
  }
  await fetching().fetch({ spec: 'demo' }, context())
  expect(world.thorough).toEqual([false, true, true])
  expect(world.told).toEqual([])
})

it('goes on with members only after a restart, also when the record has got new words meanwhile', async () => {
  const job = {
    id: RELEASE.id.toString(),
    name: 'demo',
    version: '1.0.0',
    startedAt: 0,
    priority: 'low'
  } as const
  await fetching().resume({ ...job, isClosed: true }, context())
  await fetching().resume({ ...job, id: record('1.0.1').id.toString(), isClosed: true }, context())
  expect(world.transfers).toHaveLength(2)
  expect([...world.jobs]).toEqual([])
  expect(world.told).toEqual([])
})

it('is nothing to ask strangers for when the library that had it is gone', async () => {
  world.transfer = async (_, signal) => {
    // It is let go of while its content comes.
    world.local = []
    world.closed.clear()
    signal.throwIfAborted()
    throw new CatalogError('PEER_FAILED', 'gone')
  }
  const service = fetching()
  await expect(service.fetch({ spec: 'demo' }, context())).rejects.toBeDefined()
  const job = {
    id: RELEASE.id.toString(),
    name: 'demo',
    version: '1.0.0',
    startedAt: 0,
    priority: 'low'
  } as const
  await expect(service.resume({ ...job, isClosed: true }, context())).rejects.toMatchObject({
    code: 'RELEASE_NOT_FOUND'
  })
  expect(world.told).toEqual([])
})

it('is not asked of a named peer that may not know of it', async () => {
  await expect(fetching().fetch({ spec: 'demo', from: 'stranger' }, context())).rejects.toMatchObject({
    code: 'NOT_PERMITTED'
  })
  await fetching().fetch({ spec: 'demo', from: 'member' }, context())
  expect(world.transfers).toEqual([['member']])
  expect(world.told).toEqual([])
})

it('is found under a name that public releases have too, of which others are asked as ever', async () => {
  world.local = [RELEASE, record('0.9.0')]
  await fetching().fetch({ spec: 'demo@1.0.0', publisher: formatPublicKey(KEY.publicKey) }, context())
  expect(world.transfers).toEqual([['member', 'other-member']])
  expect(world.told).toContain('demo')
  expect(world.told).not.toContain(RELEASE.id.toString())
})
