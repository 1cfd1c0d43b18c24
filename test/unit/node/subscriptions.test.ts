import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configTemplate, loadConfig, setConfigValue, validateConfigFile } from '../../../config/index.ts'
import { PACKAGE_TYPES } from '../../../library/index.ts'
import { isFiltered } from '../../../node/services/release-filter.ts'
import {
  linesWith,
  linesWithout,
  type Subscription,
  subscriptionsOf
} from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import { keyOf } from '../records/examples.ts'

const [a, b] = [peerOf(keyOf('a').publicKey), peerOf(keyOf('b').publicKey)]

test('of two lines for one library the later counts, and libraries of one node are several', () => {
  expect(subscriptionsOf([a, `${b} wanted`, `${a}/tools none union`, `${a}/home all`])).toEqual([
    { writer: a, name: 'home', content: 'all', mode: 'mirror' },
    { writer: b, name: 'home', content: 'wanted', mode: 'mirror' },
    { writer: a, name: 'tools', content: 'none', mode: 'union' }
  ])
})

test('a line takes the place of what was said of its library, and all others stay as they are', () => {
  const lines = [`${b}/home none`, a, `${a}/tools none union`, `${a}/home all`]
  const [, , tools] = subscriptionsOf(lines)
  expect(linesWith(lines, { writer: a, name: 'home', content: 'wanted', mode: 'mirror' })).toEqual([
    `${b}/home none`,
    `${a} wanted`,
    `${a}/tools none union`
  ])
  expect(linesWith(lines, { ...tools!, mode: 'mirror' })).toEqual([
    lines[0],
    a,
    `${a}/tools`,
    `${a}/home all`
  ])
  expect(linesWith([a], { writer: b, name: 'x', content: 'none', mode: 'union' })).toEqual([
    a,
    `${b}/x none union`
  ])
  expect(linesWithout(lines, a)).toEqual([lines[0], lines[2]])
})

const key = formatPublicKey(keyOf('a').publicKey)
const value = (maxLength: number) =>
  fc.string({ unit: 'grapheme', minLength: 1, maxLength }).filter(text => /^[^\s,\p{C}]{1,64}$/u.test(text))
const subscriptions: fc.Arbitrary<Subscription> = fc
  .record(
    {
      writer: fc.constantFrom(a, b),
      name: fc.constantFrom('home', 'tools', 'all', 'none'),
      content: fc.constantFrom('none', 'wanted', 'all'),
      mode: fc.constantFrom('mirror', 'union'),
      type: fc.constantFrom(...PACKAGE_TYPES),
      tag: fc.oneof(value(20), fc.constantFrom('tag:union', 'a:b', '"', "'", '\\', '#')),
      category: value(20),
      prefix: fc.oneof(value(20), fc.constant('@acme/')),
      publisher: fc.constant(key)
    },
    { requiredKeys: ['writer', 'name', 'content', 'mode'] }
  )
  .filter(one => one.content !== 'none' || one.mode === 'union' || !isFiltered(one))

test('every subscription is a line that a configuration may have, and that line is this subscription', () => {
  fc.assert(
    fc.property(fc.array(subscriptions, { maxLength: 3 }), all => {
      const lines = all.reduce<string[]>(linesWith, [])
      const [last] = new Map(all.map(one => [`${one.writer}/${one.name}`, one])).values()
      const file = setConfigValue(configTemplate(), 'sync.follow', lines.join(','))
      expect(validateConfigFile(file).problems).toEqual([])
      const { values } = loadConfig({ flags: { 'sync.follow': lines.join(',') } })
      expect(values.sync.follow).toEqual(lines)
      const read = subscriptionsOf(lines)
      if (last !== undefined) expect(read).toContainEqual(last)
      expect(read.reduce<string[]>(linesWith, []), 'written as it was').toEqual(lines)
    }),
    { seed: 20261204, numRuns: 60 }
  )
})

test.each([
  [`${a} union tag:x`, { content: 'none', mode: 'union', tag: 'x' }],
  [
    `${a} wanted mirror prefix:@acme/ tag:b:c`,
    { content: 'wanted', mode: 'mirror', prefix: '@acme/', tag: 'b:c' }
  ],
  [`${a} mirror`, { content: 'none', mode: 'mirror' }]
])('%s is said in more or fewer words', (line, wanted) => {
  const { values } = loadConfig({ flags: { 'sync.follow': [line] } })
  expect(subscriptionsOf(values.sync.follow)).toEqual([{ writer: a, name: 'home', ...wanted }])
})

test.each([
  [`${a} tag:x`, /without content or union/],
  [`${a}/tools none mirror prefix:x type:vm`, /without content or union/],
  [`${a} all tag:x type:vm tag:y`, /each condition once at most/],
  [`${a} all tag:x tag:x`, /each condition once at most/],
  [`${a}/private all`, /`private`, which no node shows/],
  [`${a}/private`, /`private`, which no node shows/],
  [`${a} all colour:red`, /a list .* such as/],
  [`${a} all type:song`, /a list .* such as/],
  [`${a} all tag:`, /a list .* such as/],
  [`${a} all publisher:z6Mkx`, /a list .* such as/],
  [`${a} all tag:two words`, /a list .* such as/],
  [`${a} all tag:two,words`, /a list .* such as/],
  [`${a} all tag:x union`, /a list .* such as/],
  [`${a} union all`, /a list .* such as/],
  [`${a} all  tag:x`, /a list .* such as/]
])('%s is refused with its reason, and named among those that are well', (line, why) => {
  const { problems } = validateConfigFile(
    `[sync]\nfollow = ${JSON.stringify([`${b} all tag:tag:x`, line])}\n`
  )
  expect(problems).toMatchObject([{ code: 'CONFIG_BAD_VALUE', key: 'sync.follow' }])
  expect(problems[0]!.message).toContain(`sync.follow has '${line}'`)
  expect(problems[0]!.message).toMatch(why)
})

test('a key that is written like one and is none is refused', () => {
  const [first] = subscriptionsOf([`${a} all publisher:${key}`])
  expect(first).toMatchObject({ publisher: key })
  expect(() => subscriptionsOf([`${a} all publisher:z6Mk${'1'.repeat(44)}`])).toThrow(
    /^"z6Mk1+" is not an Ed25519 public key$/
  )
})
