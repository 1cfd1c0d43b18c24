import { expect, test } from 'vitest'
import { type KnownRelease, merge } from '../../../node/services/mirroring/releases.ts'
import { contentOf, keyOf } from '../records/examples.ts'

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
