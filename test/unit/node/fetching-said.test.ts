/** Fetching what its owner has new words for, or says something of. */
import { CID } from 'multiformats/cid'
import { beforeEach, expect, it } from 'vitest'
import { createReleaseRecord, createStatusRecord } from '../../../library/index.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import {
  CONTENT,
  context,
  FETCHED,
  fetching,
  KEY,
  newWorld,
  record,
  sha256,
  world
} from './fetching-world.ts'

beforeEach(newWorld)

it('draws from who knows the content by older words, and asks for it by those', async () => {
  const old = record('1.0.0')
  const revised = createReleaseRecord({ ...old.release, description: 'new words', sequence: 2 }, KEY)
  world.peers = { p1: [old], p2: [revised] }
  const asked: Array<string | undefined> = []
  world.transfer = async (_attempt, _signal, { recordAt }) => {
    asked.push(...['p1', 'p2'].map(peerId => recordAt?.(peerId)?.toString()))
    return FETCHED
  }
  expect(await fetching().fetch({ spec: 'demo' }, context())).toMatchObject({
    id: revised.id.toString()
  })
  expect(world.transfers).toEqual([['p1', 'p2']])
  expect(asked).toEqual([old.id.toString(), revised.id.toString()])
})

it('takes the locked content of a version, whatever words its record has meanwhile', async () => {
  const [locked, other] = [record('1.0.0'), record('1.0.0', KEY, CID.createV1(0x55, sha256('other')))]
  world.peers = { p1: [other, locked] }
  const request = { spec: 'demo@1.0.0', publisher: formatPublicKey(KEY.publicKey) }
  const refused = fetching().fetch(request, context())
  await expect(refused).rejects.toMatchObject({ code: 'RELEASE_EQUIVOCATED' })
  const fetched = await fetching().fetch({ ...request, content: CONTENT.toString() }, context())
  expect(fetched).toMatchObject({ content: CONTENT.toString() })
})

it('tells of a yank, and keeps it with the release', async () => {
  const yanked = record('1.0.0')
  const { name, version, content } = yanked.release
  const yank = createStatusRecord(
    { name, version, content, state: 'yanked', reason: 'leaks', sequence: 2 },
    KEY
  )
  world.peers = { p1: [yanked] }
  world.said = [yank]
  const told: unknown[] = []
  const watching = { ...context(), release: (release: unknown) => told.push(release) }
  await expect(fetching().fetch({ spec: 'demo' }, context())).rejects.toMatchObject({
    code: 'RELEASE_NOT_FOUND'
  })
  expect(world.kept).toEqual([])
  expect(await fetching().fetch({ spec: 'demo@1.0.0' }, watching)).toMatchObject({ status: 'yanked' })
  expect(told).toMatchObject([{ status: 'yanked', reason: 'leaks' }])
  expect(world.kept).toEqual([yank.bytes])
})

it('goes on with the fetch of a record that has got new words meanwhile', async () => {
  const old = record('1.0.0')
  const revised = createReleaseRecord({ ...old.release, description: 'new words', sequence: 2 }, KEY)
  world.local = [revised]
  world.peers = { p1: [revised] }
  const job = {
    id: old.id.toString(),
    name: 'demo',
    version: '1.0.0',
    startedAt: 1,
    priority: 'low'
  } as const
  expect(await fetching().resume(job, context())).toMatchObject({ id: revised.id.toString() })
})
