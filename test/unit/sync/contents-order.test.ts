/** Who has the same libraries sees the same owner win, in whatever order they came: also of a version for which its owner signed more than names lead to. */
import { afterEach, expect, test } from 'vitest'
import { createReleaseRecord, type ReleaseRecord, StatementSet } from '../../../library/index.ts'
import { MAX_CONTENTS_PER_VERSION } from '../../../library/registry/index.ts'
import { viewOfName } from '../../../sync/index.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { follow, SyncHome } from './homes.ts'

const homes: SyncHome[] = []
afterEach(async () => {
  await Promise.all(homes.splice(0).map(home => home.close()))
})

async function open(name: string, ...releases: ReleaseRecord[]): Promise<SyncHome> {
  const home = await SyncHome.open(name)
  homes.push(home)
  await home.publish(...releases)
  return home
}

const release = (owner: string, content: string, sequence: number): ReleaseRecord =>
  createReleaseRecord(
    small({ name: 'pkg', version: '1.0.0', content: contentOf(content), sequence: NOW_MS + sequence }),
    keyOf(owner)
  )

async function view(home: SyncHome): Promise<unknown> {
  const records = await home.registry.versions('pkg')
  const known = { records, statements: new StatementSet() }
  const { versions } = viewOfName(known, { strategy: 'newest-wins', weights: new Map() })
  return {
    winner: formatPublicKey(versions[0]!.winner!.owner),
    releases: records.map(({ id }) => id.toString()).sort()
  }
}

test('names lead to the same contents of a version, whatever came first', async () => {
  const [one, two, ada] = [
    await open('one'),
    await open('two'),
    await open('ada', release('ada', 'good', 75))
  ]
  const writers: SyncHome[] = []
  for (let at = 0; at <= MAX_CONTENTS_PER_VERSION; at++)
    writers.push(await open(`writer ${at}`, release('mallory', `content ${at}`, at * 10)))
  for (const writer of [ada, ...writers]) await follow(one, writer)
  for (const writer of [...writers.toReversed(), ada]) await follow(two, writer)
  expect((await one.followedWhole()).sort()).toEqual((await two.followedWhole()).sort())
  expect(await view(two)).toEqual(await view(one))
  const { releases } = (await view(one)) as { releases: string[] }
  expect(releases).toHaveLength(MAX_CONTENTS_PER_VERSION + 1)
  expect(releases, 'the one with the smallest sequence is not led to').not.toContain(
    release('mallory', 'content 0', 0).id.toString()
  )
})
