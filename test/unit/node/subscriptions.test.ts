import { expect, test } from 'vitest'
import { loadConfig } from '../../../config/index.ts'
import { linesWith, linesWithout, subscriptionsOf } from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
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

test('every line that is written is one that a configuration may have', () => {
  const [, tools] = subscriptionsOf([a, `${a}/tools`])
  for (const content of ['none', 'wanted', 'all'] as const)
    for (const mode of ['mirror', 'union'] as const) {
      const lines = linesWith([], { ...tools!, content, mode })
      const { values } = loadConfig({ flags: { 'sync.follow': lines } })
      expect(subscriptionsOf(values.sync.follow)).toEqual([{ ...tools, content, mode }])
    }
})
