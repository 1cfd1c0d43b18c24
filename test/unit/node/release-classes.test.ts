import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONFIG_KEYS } from '../../../config/keys.ts'
import { valueFromRaw } from '../../../config/values.ts'
import { createReleaseRecord, PACKAGE_TYPES, type Release } from '../../../library/index.ts'
import { classesOf, rankOf } from '../../../node/services/release-filter.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import { keyOf, small } from '../records/examples.ts'

const RELEASE = createReleaseRecord(small(), keyOf('ada')).release
const KEYS = ['ada', 'eve'].map(name => formatPublicKey(keyOf(name).publicKey))
const words = fc.subarray(['ci', 'security', 'a:b'])
const releases: fc.Arbitrary<Release> = fc
  .record({
    name: fc.constantFrom('tool', 'other', '@acme/tool'),
    type: fc.constantFrom(...PACKAGE_TYPES),
    keywords: words,
    categories: words,
    owner: fc.constantFrom('ada', 'eve').map(name => keyOf(name).publicKey)
  })
  .map(fields => ({ ...RELEASE, ...fields }))
const lines = fc.array(
  fc.constantFrom(
    'tag:security',
    'tag:a:b',
    'category:ci',
    'prefix:@acme/',
    'prefix:t',
    ...PACKAGE_TYPES.map(type => `type:${type}`),
    ...KEYS.map(key => `publisher:${key}`)
  ),
  { maxLength: 6 }
)

const fits = (one: Release, line: string): boolean => {
  const [, field, value = ''] = /^([a-z]+):(.*)$/.exec(line)!
  if (field === 'tag') return one.keywords!.includes(value)
  if (field === 'category') return one.categories!.includes(value)
  if (field === 'prefix') return one.name.startsWith(value)
  return field === 'type' ? one.type === value : formatPublicKey(one.owner) === value
}

test('a release is of the first class whose line fits it, and behind all of them when none does', () => {
  fc.assert(
    fc.property(releases, lines, (one, all) => {
      const first = all.findIndex(line => fits(one, line))
      expect(rankOf(one, classesOf(all))).toBe(first < 0 ? all.length : first)
    }),
    { seed: 20261129 }
  )
})

test('lines of classes may stand in the configuration, with every type that there is, and nothing else', () => {
  const { schema } = CONFIG_KEYS.get('sync.priority')!
  const good = [
    ...PACKAGE_TYPES.map(type => `type:${type}`),
    'tag:security',
    'category:a b',
    `publisher:${KEYS[0]}`
  ]
  expect(valueFromRaw(schema, good)).toEqual(good)
  for (const line of [
    '',
    'security',
    'tag:',
    'type:folder',
    'size:9',
    'publisher:ada',
    'tag:a\nb',
    `tag:${'a'.repeat(65)}`
  ])
    expect(valueFromRaw(schema, [line]), line).toBeUndefined()
})
