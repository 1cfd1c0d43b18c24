import { beforeEach, describe, expect, test } from 'vitest'
import { createReleaseRecord, type ReleaseRecord } from '../../../library/index.ts'
import {
  type KnownRelease,
  MirrorReleases,
  type MirrorReleasesModules,
  merge
} from '../../../node/services/mirroring/releases.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const known = (over: Partial<KnownRelease> = {}): KnownRelease => ({
  record: contentOf('record'),
  name: 'lib',
  version: '1.0.0',
  owner: keyOf('ada').publicKey,
  content: contentOf('content'),
  bytes: 1,
  isFollowed: false,
  isPublishedHere: false,
  isListed: false,
  isBlocked: false,
  priority: 'normal',
  ...over
})

test('of several releases with one content the one counts that is protected most', () => {
  const other = known({
    name: 'other',
    isFollowed: true,
    isPublishedHere: true,
    isListed: true,
    priority: 'high'
  })
  for (const merged of [merge(known(), other), merge(other, known())])
    expect(merged).toMatchObject({
      isFollowed: true,
      isPublishedHere: true,
      isListed: true,
      priority: 'high'
    })
})

test('a content is blocked when all releases are that name it, and goes by the name of one that is not', () => {
  const blocked = known({ name: 'blocked', isBlocked: true })
  expect(merge(blocked, blocked).isBlocked).toBe(true)
  for (const merged of [merge(blocked, known()), merge(known(), blocked)])
    expect(merged).toMatchObject({ isBlocked: false, name: 'lib' })
})

describe('going through all releases', () => {
  const { signal } = new AbortController()
  const records = ['one', 'two', 'three'].map(name => recordOf(name))
  /** Happens after the page of releases was read. */
  let meanwhile: () => Promise<unknown>
  let held: string[]

  function recordOf(name: string): ReleaseRecord {
    return createReleaseRecord(small({ name, content: contentOf(name) }), keyOf('ada'))
  }

  function releasesOf(maxReleases: number): MirrorReleases {
    const modules = {
      registry: {
        isClosed: () => false,
        librariesOf: async () => [],
        list: async () => {
          const releases = [...records]
          await meanwhile()
          return { releases }
        }
      },
      content: { localState: () => 'none', isPinned: () => false },
      blocking: { isBlocked: () => false },
      copies: { of: (key: string) => (held.includes(key) ? {} : undefined) },
      demand: { demandOf: () => ({ count: 0, askers: 0 }) },
      topology: { views: () => [] },
      planner: { setRelease: () => undefined, removeRelease: () => undefined },
      holdersOf: () => [],
      clock: new ManualClock()
    }
    return new MirrorReleases(modules as unknown as MirrorReleasesModules, {
      ...{ maxReleases, listed: [], classes: [] }
    })
  }

  beforeEach(() => {
    meanwhile = async () => undefined
    held = []
  })

  test('leaves out none that is held, however many there are', async () => {
    const [, , last] = records
    held = [last!.release.content.toString()]
    const releases = releasesOf(1)
    await releases.refresh(signal)
    expect(releases.of(held[0]!)?.name).toBe('three')
    expect([releases.size, releases.isFull]).toEqual([2, true])
  })

  test('forgets none that came to be known meanwhile', async () => {
    const releases = releasesOf(10)
    const late = recordOf('late')
    meanwhile = () => releases.learn(late)
    await releases.refresh(signal)
    expect(releases.of(late.release.content.toString())?.name).toBe('late')
    meanwhile = async () => undefined
    await releases.refresh(signal)
    expect(releases.of(late.release.content.toString())).toBeUndefined()
  })
})
