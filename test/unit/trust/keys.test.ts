import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  exportPublicPem,
  formatPublicKey,
  isPlausiblePublicKey,
  isPublicKey,
  nodeKeyOf,
  parsePublicKey,
  SigningKey,
  verifyWithDomain
} from '../../../trust/index.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const code = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'nothing thrown'
}
/** RFC 8032, 7.1, test 1. */
const SEED = hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const PUBLIC = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')

describe('keys', () => {
  test('a seed gives the public key of RFC 8032', () => {
    expect(SigningKey.fromSeed(SEED).publicKey).toEqual(PUBLIC)
    expect(SigningKey.fromSeed(SEED).exportSeed()).toEqual(SEED)
    expect(code(() => SigningKey.fromSeed(SEED.subarray(1)))).toBe('KEY_INVALID')
  })

  test('text form is the did:key of the key, and comes back', () => {
    // The first Ed25519 example of the did:key specification.
    const text = 'z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp'
    const key = parsePublicKey(`did:key:${text}`)
    expect(formatPublicKey(key)).toBe(text)
    expect(parsePublicKey(text)).toEqual(key)
    for (const bad of [
      '',
      'z6Mk',
      text.slice(1),
      `${text}1`,
      text.replace('Wp', 'W0'),
      `z${'1'.repeat(100_000)}`
    ])
      expect(code(() => parsePublicKey(bad))).toBe('KEY_INVALID')
  })

  test('PEM goes out and in, plain and encrypted', () => {
    const key = SigningKey.fromSeed(SEED)
    expect(SigningKey.fromPem(key.exportPem()).publicKey).toEqual(PUBLIC)
    const sealed = key.exportPem('swordfish')
    expect(SigningKey.fromPem(sealed, 'swordfish').publicKey).toEqual(PUBLIC)
    expect(code(() => SigningKey.fromPem(sealed, 'wrong'))).toBe('KEY_LOCKED')
    expect(code(() => SigningKey.fromPem(sealed))).toBe('KEY_LOCKED')
    expect(
      code(() => SigningKey.fromPem('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'))
    ).toBe('KEY_INVALID')
    const other = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(code(() => SigningKey.fromPem(other))).toBe('KEY_INVALID')
    const exported = createPublicKey(exportPublicPem(PUBLIC)).export({ type: 'spki', format: 'der' })
    expect(new Uint8Array(exported.subarray(-32))).toEqual(PUBLIC)
  })

  test('libp2p reads the node key and signs with the same key', async () => {
    const node = nodeKeyOf(SigningKey.generate())
    const libp2pKey = privateKeyFromProtobuf(node.protobuf)
    expect(libp2pKey.publicKey.raw).toEqual(node.key.publicKey)
    const signature = await libp2pKey.sign(Buffer.from('catalog/test/1\0hello'))
    expect(verifyWithDomain(node.key.publicKey, 'test', Buffer.from('hello'), signature)).toBe(true)
  })

  test('neither JSON nor inspection shows the seed', async () => {
    const { inspect } = await import('node:util')
    const key = SigningKey.generate()
    const shown = JSON.stringify(key) + inspect(key, { depth: 9, showHidden: true })
    expect(shown).not.toContain(Buffer.from(key.exportSeed()).toString('hex').slice(0, 16))
    expect(JSON.stringify(key)).toBe(JSON.stringify({ publicKey: formatPublicKey(key.publicKey) }))
  })
})

describe('signatures', () => {
  const key = SigningKey.fromSeed(SEED)
  const message = Buffer.from('a message')

  test('a signature holds for its key, domain and bytes only', () => {
    const signature = key.sign('record', message)
    expect(verifyWithDomain(PUBLIC, 'record', message, signature)).toBe(true)
    expect(verifyWithDomain(PUBLIC, 'head', message, signature)).toBe(false)
    expect(verifyWithDomain(SigningKey.generate().publicKey, 'record', message, signature)).toBe(false)
    expect(verifyWithDomain(PUBLIC, 'record', message, signature.subarray(1))).toBe(false)
    expect(verifyWithDomain(PUBLIC.subarray(1), 'record', message, signature)).toBe(false)
    expect(() => key.sign('no\0domain', message)).toThrow('no signature domain')
  })

  test('any flipped bit is noticed', () => {
    const signature = key.sign('record', message)
    fc.assert(
      fc.property(fc.nat(SIGNED_BITS - 1), bit => {
        const all = Buffer.concat([PUBLIC, signature, message])
        all[bit >> 3]! ^= 1 << (bit & 7)
        const [k, s, m] = [all.subarray(0, 32), all.subarray(32, 96), all.subarray(96)]
        return !verifyWithDomain(k, 'record', m, s)
      }),
      { seed: 1, numRuns: 300 }
    )
  })
  const SIGNED_BITS = (32 + 64 + message.length) * 8

  test('S + L, the malleable twin of a signature, is refused', () => {
    const L = 2n ** 252n + 27742317777372353535851937790883648493n
    const signature = Buffer.from(key.sign('record', message))
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`)
    const twin = Buffer.from((s + L).toString(16).padStart(64, '0'), 'hex').reverse()
    expect(
      verifyWithDomain(PUBLIC, 'record', message, Buffer.concat([signature.subarray(0, 32), twin]))
    ).toBe(false)
  })

  test('keys of small order verify nothing', () => {
    const identity = Buffer.alloc(32)
    identity[0] = 1
    // With A = identity, R = identity and S = 0 satisfy the equation for every message.
    const forged = Buffer.concat([identity, Buffer.alloc(32)])
    expect(verifyWithDomain(identity, 'record', message, forged)).toBe(false)
    const smallOrder = [
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '0000000000000000000000000000000000000000000000000000000000000080',
      '0000000000000000000000000000000000000000000000000000000000000000',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'
    ]
    for (const key of smallOrder) expect(isPlausiblePublicKey(hex(key))).toBe(false)
  })

  test('keys that are not canonical or off the curve are refused', () => {
    // y = p + 3, a second spelling of y = 3.
    expect(isPlausiblePublicKey(hex(`f0${'ff'.repeat(30)}7f`))).toBe(false)
    expect(isPublicKey(PUBLIC)).toBe(true)
    // About half of all y are off the curve; y = 2 is one.
    expect(isPublicKey(hex(`02${'00'.repeat(31)}`))).toBe(false)
    for (let i = 0; i < 20; i++) expect(isPublicKey(SigningKey.generate().publicKey)).toBe(true)
  })
})
