import { expect, test } from 'vitest'
import { subscriptionsOf } from '../../../node/services/following.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { keyOf } from '../records/examples.ts'

test('of two lines for one library the later counts, and libraries of one node are several', () => {
  const [a, b] = [peerOf(keyOf('a').publicKey), peerOf(keyOf('b').publicKey)]
  expect(subscriptionsOf([a, `${b} wanted`, `${a}/tools none union`, `${a}/home all`])).toEqual([
    { writer: a, name: 'home', content: 'all', mode: 'mirror' },
    { writer: b, name: 'home', content: 'wanted', mode: 'mirror' },
    { writer: a, name: 'tools', content: 'none', mode: 'union' }
  ])
})
