import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import {
  canonicalKey,
  createRecord,
  createReleaseRecord,
  decodeRecord,
  decodeRelease,
  decodeVerifiedRelease,
  type NewRelease,
  nextSequence,
  recordHash,
  supersedes,
  trieKey
} from '../../../library/records/index.ts'
import { sha256 } from '../../../trust/index.ts'
import { codeOf, contentOf, full, keyOf, NOW_MS, small } from './examples.ts'

const key = keyOf('ada')

describe('release records', () => {
  test('what is signed comes back, with every field', () => {
    for (const release of [small(), full()]) {
      const record = createReleaseRecord(release, key)
      const again = decodeRelease(record.bytes)
      expect(again.release).toEqual({ ...release, format: 1, owner: key.publicKey, signer: key.publicKey })
      expect(again.id.equals(record.id)).toBe(true)
      expect(again.id.toString()).toMatch(/^bafyrei/)
      expect(Buffer.from(again.id.multihash.digest)).toEqual(Buffer.from(sha256(record.bytes)))
      expect(decodeVerifiedRelease(record.bytes)).toEqual(again)
    }
  })

  test('signing is deterministic, and deriving from a decoded release gives the same bytes', () => {
    const record = createReleaseRecord(full(), key)
    expect(createReleaseRecord(full(), key).bytes).toEqual(record.bytes)
    expect(createReleaseRecord(decodeRelease(record.bytes).release, key).bytes).toEqual(record.bytes)
    const other = createReleaseRecord(decodeRelease(record.bytes).release, keyOf('bob'))
    expect(other.release.owner).toEqual(keyOf('bob').publicKey)
    expect(other.release.unknown).toBeUndefined()
  })

  test('fields named as what every object has are unknown ones', () => {
    const unknown = { constructor: 1, toString: 'x' }
    const { release } = createReleaseRecord(small({ unknown }), keyOf('ada'))
    expect(release.unknown).toEqual(unknown)
    expect(Object.hasOwn(release, 'constructor')).toBe(false)
  })

  test('unknown fields of a body are kept, signed, and carried into a derived release', () => {
    const { body } = createReleaseRecord(small(), key)
    const later = createRecord(
      { kind: 'release', sequence: NOW_MS, body: { ...body, mood: 'good', grid: [[1], [2]] } },
      key
    )
    const read = decodeRelease(later.bytes)
    expect(read.release.unknown).toEqual({ mood: 'good', grid: [[1], [2]] })
    expect(read.bytes).toEqual(later.bytes)
    expect(createReleaseRecord(read.release, key).bytes).toEqual(later.bytes)
  })

  test('unknown kinds are verified and kept opaque, unknown envelope fields too', () => {
    const status = createRecord(
      { kind: 'status', sequence: 7, subject: Uint8Array.of(1, 2), body: { yanked: true } },
      key
    )
    const read = decodeRecord(status.bytes)
    expect(read).toMatchObject({ kind: 'status', sequence: 7, body: { yanked: true } })
    expect(codeOf(() => decodeRelease(status.bytes))).toBe('RECORD_INVALID')
    expect(canonicalKey(read)).not.toEqual(canonicalKey({ ...read, signer: keyOf('bob').publicKey }))

    const map = dagCbor.decode<Record<string, unknown>>(status.bytes)
    const { sig: _, ...rest } = map
    const unsigned = { ...rest, extra: 'signed too' }
    const sig = key.sign('record', dagCbor.encode(unsigned))
    const widened = dagCbor.encode({ ...unsigned, sig })
    expect(decodeRecord(widened).bytes).toEqual(widened)
    expect(codeOf(() => decodeRecord(dagCbor.encode({ ...map, extra: 'not signed' })))).toBe(
      'SIGNATURE_INVALID'
    )
  })

  test.each<[string, Partial<NewRelease>, string]>([
    ['upper case in a name', { name: 'Hello' }, 'NAME_INVALID'],
    ['a path as a name', { name: '../hello' }, 'NAME_INVALID'],
    ['a name of 65 characters', { name: 'a'.repeat(65) }, 'NAME_INVALID'],
    ['a version of two numbers', { version: '1.0' }, 'VERSION_INVALID'],
    ['build metadata', { version: '1.0.0+linux' }, 'VERSION_INVALID'],
    ['a long description', { description: 'x'.repeat(4097) }, 'INVALID_ARGUMENT'],
    ['an escape sequence', { description: 'a\u001b[2Jb' }, 'INVALID_ARGUMENT'],
    ['half a surrogate pair', { description: 'a\ud800b' }, 'INVALID_ARGUMENT'],
    ['a licence that SPDX does not know', { licence: 'MIT-ish' }, 'INVALID_ARGUMENT'],
    ['a script as a link', { links: { home: 'javascript:alert(1)' } }, 'INVALID_ARGUMENT'],
    ['a file as a link', { links: { home: 'file:///etc/passwd' } }, 'INVALID_ARGUMENT'],
    ['a password in a link', { links: { home: 'https://a:b@example.org/' } }, 'INVALID_ARGUMENT'],
    ['a link with a quote', { links: { home: 'https://example.org/"x' } }, 'INVALID_ARGUMENT'],
    ['an entry point outside', { entryPoint: 'a/../../b' }, 'INVALID_ARGUMENT'],
    ['an absolute entry point', { entryPoint: '/etc/passwd' }, 'INVALID_ARGUMENT'],
    ['an entry point on a drive', { entryPoint: 'C:x' }, 'INVALID_ARGUMENT'],
    [
      'a range that is none',
      { dependencies: [{ name: 'a', range: 'newest', kind: 'required' }] },
      'INVALID_ARGUMENT'
    ],
    [
      'a dependency named twice',
      {
        dependencies: [
          { name: 'a', range: '1', kind: 'required' },
          { name: 'a', range: '2', kind: 'required' }
        ]
      },
      'INVALID_ARGUMENT'
    ],
    ['33 keywords', { keywords: Array.from({ length: 33 }, (_, i) => `k${i}`) }, 'INVALID_ARGUMENT'],
    ['a negative size', { sizeBytes: -1 }, 'INVALID_ARGUMENT'],
    ['a size that is no integer', { sizeBytes: 1.5 }, 'INVALID_ARGUMENT'],
    ['a size beyond 2^53', { sizeBytes: 2 ** 53 }, 'INVALID_ARGUMENT'],
    ['a clock that was never set', { publishedAt: 1000 }, 'INVALID_ARGUMENT'],
    ['a negative sequence', { sequence: -1 }, 'INVALID_ARGUMENT'],
    ['a CIDv0', { content: CID.parse('QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n') }, 'INVALID_ARGUMENT'],
    ['a prototype as a key', { hooks: JSON.parse('{"__proto__":"x"}') }, 'INVALID_ARGUMENT'],
    ['a float in an extension', { extensions: { a: 0.5 } }, 'INVALID_ARGUMENT'],
    ['a huge integer in an extension', { extensions: { a: 2n ** 60n } }, 'INVALID_ARGUMENT'],
    ['undefined in an extension', { extensions: { a: undefined } }, 'INVALID_ARGUMENT'],
    ['33 KiB', { extensions: { a: 'x'.repeat(33 * 1024) } }, 'RECORD_TOO_LARGE']
  ])('%s is refused', (_, over, code) => {
    expect(codeOf(() => createReleaseRecord(small(over), key))).toBe(code)
  })

  test('an owner that did not sign is refused; one with a chain is left to later versions', () => {
    const { body } = createReleaseRecord(small(), key)
    const claim = (over: object): string => {
      const record = createRecord({ kind: 'release', sequence: 1, body: { ...body, ...over } }, keyOf('bob'))
      return codeOf(() => decodeRelease(record.bytes))
    }
    expect(claim({})).toBe('RECORD_INVALID')
    expect(claim({ chain: contentOf('chain') })).toBe('UNSUPPORTED')
    expect(claim({ owner: keyOf('bob').publicKey })).toBe('OK')
    expect(claim({ owner: keyOf('bob').publicKey, chain: contentOf('chain') })).toBe('RECORD_INVALID')
  })
})

describe('keys of the set', () => {
  test('sequence and description do not change the key; identity does', () => {
    const base = trieKey(createReleaseRecord(small(), key))
    expect(trieKey(createReleaseRecord(small({ sequence: NOW_MS + 1, description: 'x' }), key))).toEqual(base)
    for (const over of [{ name: 'hell' }, { version: '1.0.1' }, { content: contentOf('y') }])
      expect(trieKey(createReleaseRecord(small(over), key))).not.toEqual(base)
    expect(trieKey(createReleaseRecord(small(), keyOf('bob')))).not.toEqual(base)
  })

  test('of two records one wins, whichever is asked first', () => {
    const older = createReleaseRecord(small({ description: 'a' }), key)
    const newer = createReleaseRecord(small({ sequence: NOW_MS + 1 }), key)
    const equal = createReleaseRecord(small({ description: 'b' }), key)
    expect([supersedes(newer, older), supersedes(older, newer)]).toEqual([true, false])
    expect(supersedes(older, equal)).not.toBe(supersedes(equal, older))
    expect(supersedes(older, older)).toBe(false)
    expect(recordHash(older.bytes)).not.toEqual(sha256(older.bytes))
  })

  test('a sequence is the time, or one more than the last', () => {
    expect(nextSequence(5)).toBe(5)
    expect(nextSequence(5, 3)).toBe(5)
    expect(nextSequence(5, 9)).toBe(10)
  })
})
