import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FIND,
  fittingCloser,
  MAX_CLOSER_PEERS,
  MAX_FOUND_PROVIDERS,
  MAX_KEYS_PER_REQUEST,
  MAX_PEER_RECORD_BYTES,
  PROVIDE,
  splitKeys,
  toVerdicts,
  Verdict
} from '../../../protocols/index.ts'

const MESSAGES = {
  'provide.request': PROVIDE.request,
  'provide.response': PROVIDE.response,
  'find.request': FIND.request,
  'find.response': FIND.response
} as const
interface Vectors {
  messages: Array<{ message: keyof typeof MESSAGES; about: string; value: unknown; bytes: string }>
  refused: Array<{ message: keyof typeof MESSAGES; about: string; bytes: string }>
}
const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/discovery/wire.json', import.meta.url), 'utf8')
)
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
/** Bytes as hex, as the vectors have them. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, field: unknown) =>
      field instanceof Uint8Array ? Buffer.from(field).toString('hex') : field
    )
  )
/** Hex strings of a vector as bytes: every string field of these messages but the trace context and words is bytes. */
function revive(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map(one => revive(one, name))
  if (typeof value === 'string') return ['traceparent', 'code', 'message'].includes(name) ? value : hex(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revive(one, key)]))
}
const violation = expect.objectContaining({ code: 'PROTOCOL_VIOLATION' })

describe('messages of provide and find', () => {
  it.each(vectors.messages)('$message: $about', ({ message, value, bytes }) => {
    const { encode, decode } = MESSAGES[message] as (typeof MESSAGES)['find.response']
    expect(plain(decode(hex(bytes)))).toEqual(value)
    expect(Buffer.from(encode(revive(value) as object)).toString('hex')).toBe(bytes)
  })

  it.each(vectors.refused)('refuse $message: $about', ({ message, bytes }) => {
    expect(() => MESSAGES[message].decode(hex(bytes))).toThrow(violation)
  })

  it.each(Object.entries(MESSAGES))('%s takes any bytes without another error', (_, { decode }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toEqual(violation)
        }
      })
    )
  })

  it('refuse what is beyond their bounds, and take what is just within', () => {
    const request = (keys: number, record: number, lifetimeS = 60): Uint8Array =>
      PROVIDE.request.encode({
        keys: new Uint8Array(keys * 32),
        peerRecord: new Uint8Array(record),
        lifetimeS
      })
    expect(
      splitKeys(PROVIDE.request.decode(request(MAX_KEYS_PER_REQUEST, MAX_PEER_RECORD_BYTES)).keys)
    ).toHaveLength(MAX_KEYS_PER_REQUEST)
    expect(() => PROVIDE.request.decode(request(MAX_KEYS_PER_REQUEST + 1, 100))).toThrow(violation)
    expect(() => PROVIDE.request.decode(request(1, MAX_PEER_RECORD_BYTES + 1))).toThrow(violation)
    expect(() => PROVIDE.request.decode(request(1, 0))).toThrow(violation)
    expect(() => PROVIDE.request.decode(request(0, 100))).toThrow(violation)
    expect(() => PROVIDE.request.decode(request(1, 100, 49 * 3600))).toThrow(violation)
    expect(() => PROVIDE.request.decode(request(1, 100, 0))).toThrow(violation)
    const many = (count: number): Uint8Array =>
      FIND.response.encode({
        providers: Array.from({ length: count }, () => ({ peerRecord: Uint8Array.of(1), ageS: 0 }))
      })
    expect(FIND.response.decode(many(MAX_FOUND_PROVIDERS)).providers).toHaveLength(MAX_FOUND_PROVIDERS)
    expect(() => FIND.response.decode(many(MAX_FOUND_PROVIDERS + 1))).toThrow(violation)
    expect(() => FIND.response.decode(many(40))).toThrow(violation)
    expect(() => FIND.request.decode(new Uint8Array(2000))).toThrow(violation)
  })

  it('fit nearer peers into an answer that is accepted', () => {
    const peers = Array.from({ length: 40 }, (_, i) => ({
      peerId: Uint8Array.of(i + 1),
      addresses: Array.from({ length: 20 }, () => new Uint8Array(250))
    }))
    const closer = fittingCloser(peers)
    expect(closer.length).toBeGreaterThan(5)
    expect(closer.length).toBeLessThanOrEqual(MAX_CLOSER_PEERS)
    expect(FIND.response.decode(FIND.response.encode({ closer })).closer).toHaveLength(closer.length)
  })

  it('read a verdict of a later version as a refusal', () => {
    expect(toVerdicts(Uint8Array.of(0, 1, 2, 3, 4, 255), 6)).toEqual([
      Verdict.Accepted,
      Verdict.NotNear,
      Verdict.ProviderFull,
      Verdict.StoreFull,
      Verdict.StoreFull,
      Verdict.StoreFull
    ])
  })
})
