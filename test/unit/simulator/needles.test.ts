import { expect, test } from 'vitest'
import { Needles } from '../../../testnet/simulator/needles.ts'

const SECRET = Uint8Array.from({ length: 32 }, (_, at) => 7 * at)
const OTHER = Uint8Array.from({ length: 32 }, (_, at) => (7 * at) ^ (at === 31 ? 1 : 0))

test('finds any of some byte strings wherever they stand, as they are or in hex', () => {
  const needles = new Needles([OTHER, SECRET])
  for (const form of [SECRET, Buffer.from(Buffer.from(SECRET).toString('hex'))])
    for (const haystack of [form, Buffer.concat([Buffer.from('l/'), form]), Buffer.concat([form, OTHER])])
      expect(needles.isIn(haystack)).toBe(true)
})

test('takes no part of one, and no other, for it', () => {
  const needles = new Needles([SECRET])
  for (const haystack of [SECRET.subarray(0, 31), SECRET.subarray(1), OTHER, new Uint8Array()])
    expect(needles.isIn(haystack)).toBe(false)
  expect(new Needles([]).isIn(SECRET)).toBe(false)
})
