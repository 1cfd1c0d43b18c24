/** Bytes from strangers: whatever they are, the answer is a record or a CatalogError of a few codes. */
import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createRecord,
  createReleaseRecord,
  decodeRelease,
  RECORD_LIMITS
} from '../../../library/records/index.ts'
import { codeOf, full, keyOf, NOW_MS, small } from './examples.ts'

const key = keyOf('ada')
const good = createReleaseRecord(full(), key).bytes
const CODES = ['RECORD_INVALID', 'RECORD_TOO_LARGE', 'SIGNATURE_INVALID', 'UNSUPPORTED']
const read = (bytes: Uint8Array): string => codeOf(() => decodeRelease(bytes))
const messageOf = (hex: string): string => {
  try {
    decodeRelease(Uint8Array.from(Buffer.from(hex, 'hex')))
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('hostile bytes', () => {
  test('random bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => CODES.includes(read(bytes))),
      { seed: 11, numRuns: 2000 }
    )
  })

  test('a record with any bytes changed is refused, and the original is not mistaken for it', () => {
    const change = fc.record({ at: fc.nat(good.length - 1), to: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
        const bytes = Uint8Array.from(good)
        for (const { at, to } of changes) bytes[at] = to
        const same = Buffer.compare(bytes, good) === 0
        return same ? read(bytes) === 'OK' : CODES.includes(read(bytes))
      }),
      { seed: 12, numRuns: 3000 }
    )
  })

  test('every truncation, and pieces left out, doubled or swapped, are refused', () => {
    for (let length = 0; length < good.length; length++) {
      expect(read(good.subarray(0, length))).toBe('RECORD_INVALID')
    }
    const place = fc.nat(good.length)
    fc.assert(
      fc.property(place, place, place, (a, b, c) => {
        const [from, to, at] = [Math.min(a, b), Math.max(a, b), c]
        const piece = good.subarray(from, to)
        const without = Buffer.concat([good.subarray(0, from), good.subarray(to)])
        const doubled = Buffer.concat([good.subarray(0, at), piece, good.subarray(at)])
        return [without, doubled]
          .filter(bytes => Buffer.compare(bytes, good) !== 0)
          .every(bytes => CODES.includes(read(bytes)))
      }),
      { seed: 13, numRuns: 500 }
    )
  })

  test('any well-formed DAG-CBOR as body or extension is decided without surprises', () => {
    const value = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeInteger(),
        fc.constantFrom(null, true, false, '__proto__', 'constructor'),
        fc.uint8Array({ maxLength: 8 }),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(
          fc.oneof(fc.string(), fc.constantFrom('__proto__', '/', 'bytes', 'asCID', 'name')),
          tie('tree'),
          {
            maxKeys: 4
          }
        )
      )
    })).tree
    const { body } = createReleaseRecord(small(), key)
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(full()), 'other', '__proto__'), value),
        over => {
          const merged = Object.fromEntries([...Object.entries(body), ...Object.entries(over)])
          const make = (): Uint8Array =>
            createRecord({ kind: 'release', sequence: NOW_MS, body: merged }, key).bytes
          if (codeOf(make) !== 'OK') return CODES.includes(codeOf(make))
          return ['OK', ...CODES].includes(read(make()))
        }
      ),
      { seed: 14, numRuns: 500 }
    )
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('any release that can be signed is read back as it was', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    const arbitrary = fc.record(
      {
        name: word,
        version: fc.stringMatching(
          /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})(-[a-z]{1,5}(\.[1-9]\d{0,3})?)?$/
        ),
        description: line,
        keywords: fc.array(line, { maxLength: 5 }),
        sizeBytes: fc.maxSafeNat(),
        extensions: fc.dictionary(
          word,
          fc.oneof(line, fc.maxSafeInteger(), fc.uint8Array({ maxLength: 5 })),
          { maxKeys: 4 }
        )
      },
      { requiredKeys: ['name', 'version'] }
    )
    fc.assert(
      fc.property(arbitrary, over => {
        let record: ReturnType<typeof createReleaseRecord>
        try {
          record = createReleaseRecord(small(over), key)
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
          return
        }
        const { owner: _, signer: __, format: ___, ...rest } = decodeRelease(record.bytes).release
        expect(rest).toEqual(small(over))
      }),
      { seed: 15, numRuns: 300 }
    )
  })

  test('size is checked before anything is decoded', () => {
    const large = new Uint8Array(1024 * 1024)
    large.set(good)
    expect(read(large)).toBe('RECORD_TOO_LARGE')
    expect(read(new Uint8Array(RECORD_LIMITS.recordBytes + 1))).toBe('RECORD_TOO_LARGE')
    expect(read(new Uint8Array(RECORD_LIMITS.recordBytes))).toBe('RECORD_INVALID')
  })

  test('8,192 values are a record, one more is none', () => {
    // The smallest release has 32, the field of the list 2.
    const many = (count: number): string =>
      codeOf(() => createReleaseRecord(small({ unknown: { many: new Array(count).fill(0) } }), key))
    expect([many(8158), many(8159)]).toEqual(['OK', 'INVALID_ARGUMENT'])
  })

  test('the deepest and the fullest bombs cost nothing', () => {
    const started = performance.now()
    const size = RECORD_LIMITS.recordBytes
    for (const byte of [0x81, 0xa1, 0x9f, 0xbf, 0xd8, 0xff, 0x00]) read(new Uint8Array(size).fill(byte))
    read(Uint8Array.from(Buffer.from('9b001fffffffffffff', 'hex')))
    read(Uint8Array.from(Buffer.from('bb001fffffffffffff', 'hex')))
    read(Uint8Array.from(Buffer.from('5b001fffffffffffff', 'hex')))
    expect(performance.now() - started).toBeLessThan(500)
  })

  test.each([
    ['81'.repeat(17), 'nested deeper'],
    [`992001${'00'.repeat(8193)}`, 'more than 8192 values'],
    ['1818', 'a map'],
    ['1817', 'shortest form'],
    ['190017', 'shortest form'],
    ['1b00000000ffffffff', 'shortest form'],
    ['1b0020000000000000', 'beyond 2^53'],
    ['3b001fffffffffffff', 'beyond 2^53'],
    ['1c', 'reserved'],
    ['9f00ff', 'indefinite'],
    ['5f4100ff', 'indefinite'],
    ['f97e00', 'floating point'],
    ['fb3ff8000000000000', 'floating point'],
    ['f818', 'unknown simple'],
    ['e0', 'unknown simple'],
    ['f7', 'unknown simple'],
    ['c100', 'unknown tag 1'],
    ['d82a00', 'not DAG-CBOR'],
    ['a10000', 'not DAG-CBOR'],
    ['a2616200616100', 'canonical form'],
    ['a2616100616100', 'not DAG-CBOR'],
    ['62c328', 'canonical form'],
    ['0000', 'after its end'],
    ['6261', 'within a string'],
    ['19', 'within a value'],
    ['', 'within a value']
  ])('%s: %s', (hex, message) => {
    expect(messageOf(hex)).toContain(message)
  })

  test('a forged signature is noticed whatever was changed', () => {
    const map = dagCbor.decode<Record<string, unknown> & { sig: Uint8Array; body: object }>(good)
    const other = createReleaseRecord(small(), keyOf('bob'))
    const forgeries = [
      { ...map, sig: new Uint8Array(64) },
      { ...map, signer: keyOf('bob').publicKey, body: { ...map.body, owner: keyOf('bob').publicKey } },
      { ...map, sequence: NOW_MS + 1 },
      { ...map, body: { ...map.body, description: 'evil' } },
      { ...map, added: true },
      { ...map, sig: dagCbor.decode<{ sig: Uint8Array }>(other.bytes).sig }
    ]
    for (const forgery of forgeries) expect(read(dagCbor.encode(forgery))).toBe('SIGNATURE_INVALID')
  })
})
