import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareDistance,
  fractionOfSpace,
  nearest,
  sharedPrefixBits,
  xor
} from '../../../discovery/distance.ts'
import { closedKey, contentKey, keyText, libraryKey, nameKey, recordKey } from '../../../discovery/index.ts'
import { kademliaId } from '../../../discovery/keys.ts'

interface Vectors {
  keys: Array<{
    kind: 'name' | 'content' | 'library' | 'record' | 'closed'
    value: string
    key: string
    kademliaId: string
  }>
  distances: Array<{ target: string; a: string; b: string; nearer: 'a' | 'b'; sharedPrefixBits: number }>
}
const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/discovery/keys.json', import.meta.url), 'utf8')
)
const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')
const makers = {
  name: (value: string) => nameKey(value),
  content: (value: string) => contentKey(hex(value)),
  library: (value: string) => libraryKey(hex(value)),
  record: (value: string) => recordKey(hex(value)),
  closed: (value: string) => closedKey(hex(value).subarray(0, 32), hex(value).subarray(32))
}
const point = fc.uint8Array({ minLength: 32, maxLength: 32 })
const asNumber = (bytes: Uint8Array): bigint => BigInt(`0x${keyText(bytes)}`)

describe('keys', () => {
  it.each(vectors.keys)(
    'are what every node computes: $kind $value',
    ({ kind, value, key, kademliaId: place }) => {
      expect(keyText(makers[kind](value))).toBe(key)
      expect(keyText(kademliaId(hex(key)))).toBe(place)
    }
  )

  it('of different kinds never meet', () => {
    const value = Buffer.alloc(64, 'same')
    const closed = closedKey(value.subarray(0, 32), value.subarray(32))
    const keys = [nameKey(value.toString()), contentKey(value), libraryKey(value), recordKey(value), closed]
    expect(new Set(keys.map(keyText)).size).toBe(5)
  })
})

describe('distances', () => {
  it.each(vectors.distances)('agree with the vectors: $target', vector => {
    const { target, a, b } = { target: hex(vector.target), a: hex(vector.a), b: hex(vector.b) }
    expect(compareDistance(target, a, b) < 0 ? 'a' : 'b').toBe(vector.nearer)
    expect(sharedPrefixBits(a, b)).toBe(vector.sharedPrefixBits)
  })

  it('are the XOR read as a number', () => {
    fc.assert(
      fc.property(point, point, point, (target, a, b) => {
        const difference = asNumber(xor(target, a)) - asNumber(xor(target, b))
        expect(Math.sign(compareDistance(target, a, b))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0)
      })
    )
  })

  it('shared prefixes are the leading zero bits of the XOR', () => {
    fc.assert(
      fc.property(point, point, fc.nat(32), (a, tail, same) => {
        const b = Uint8Array.from([...a.subarray(0, same), ...tail.subarray(same)])
        const bits = asNumber(xor(a, b)).toString(2)
        expect(sharedPrefixBits(a, b)).toBe(bits === '0' ? 256 : 256 - bits.length)
      })
    )
  })

  it('place a point in the space, and order things around one', () => {
    expect(fractionOfSpace(hex('80'.padEnd(64, '0')))).toBe(0.5)
    const things = ['01', '02', '03'].map(text => ({ kademliaId: hex(text.padStart(64, '0')) }))
    expect(nearest(things[1]!.kademliaId, things, 2)).toEqual([things[1], things[2]])
  })
})
