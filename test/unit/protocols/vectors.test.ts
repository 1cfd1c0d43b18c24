import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { answerMessage, openMessage, rangeMessage } from '../../../protocols/content/frames.ts'
import {
  cancelMessage,
  goodbyeMessage,
  helloMessage,
  pingMessage,
  requestMessage,
  responseMessage
} from '../../../protocols/control/frames.ts'
import {
  askHoldings,
  encodeFrame,
  exchangeMembers,
  getRecords,
  giveReceipt,
  listReleases,
  newHead,
  offerRelease,
  PROOF,
  probePeers,
  showReceipts,
  sketchMembers,
  tellDemand,
  tellHoldings,
  type WireMessage,
  wantedReleases,
  watchHeads
} from '../../../protocols/index.ts'
import {
  abortMessage,
  changesMessage,
  descendMessage,
  finMessage,
  headMessage,
  recordsMessage,
  sketchMessage,
  syncHelloMessage,
  wantMessage
} from '../../../protocols/sync/frames.ts'

/** One frozen message: `value` with bytes written as `{hex}`, and its encoding. */
interface Vector {
  message: string
  value: Record<string, unknown>
  encoding: string
}

// biome-ignore lint/suspicious/noExplicitAny: messages of all types stand in one table
const MESSAGES: Record<string, WireMessage<any>> = {
  'control hello': helloMessage,
  'control request': requestMessage,
  'control response': responseMessage,
  'control cancel': cancelMessage,
  'control ping': pingMessage,
  'control goodbye': goodbyeMessage,
  'get records request': getRecords.request,
  'get records response': getRecords.response,
  'list releases request': listReleases.request,
  'list releases response': listReleases.response,
  'watch heads request': watchHeads.request,
  'watch heads response': watchHeads.response,
  'new head request': newHead.request,
  'new head response': newHead.response,
  'sketch members request': sketchMembers.request,
  'sketch members response': sketchMembers.response,
  'exchange members request': exchangeMembers.request,
  'exchange members response': exchangeMembers.response,
  'tell demand request': tellDemand.request,
  'tell demand response': tellDemand.response,
  'wanted releases request': wantedReleases.request,
  'wanted releases response': wantedReleases.response,
  'offer release request': offerRelease.request,
  'offer release response': offerRelease.response,
  'probe request': probePeers.request,
  'probe response': probePeers.response,
  'proof request': PROOF.request,
  'proof response': PROOF.response,
  'ask holdings request': askHoldings.request,
  'ask holdings response': askHoldings.response,
  'tell holdings request': tellHoldings.request,
  'tell holdings response': tellHoldings.response,
  'give receipt request': giveReceipt.request,
  'give receipt response': giveReceipt.response,
  'show receipts request': showReceipts.request,
  'show receipts response': showReceipts.response,
  'content open': openMessage,
  'content range': rangeMessage,
  'content answer': answerMessage,
  'sync head': headMessage,
  'sync hello': syncHelloMessage,
  'sync sketch': sketchMessage,
  'sync descend': descendMessage,
  'sync want': wantMessage,
  'sync records': recordsMessage,
  'sync fin': finMessage,
  'sync abort': abortMessage,
  'sync changes': changesMessage
}
const file = new URL('../../fixtures/vectors/wire/messages.json', import.meta.url)
const { messages, frames } = JSON.parse(readFileSync(file, 'utf8')) as {
  messages: Vector[]
  frames: Array<{ heads: number[]; body: string; encoding: string }>
}

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** JSON to message: `{hex}` becomes bytes. */
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive)
  if (typeof value !== 'object' || value === null) return value
  if ('hex' in value) return fromHex(String(value.hex))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]))
}

describe('frozen wire messages', () => {
  it.each(messages)('$message has the bytes it always had', ({ message, value, encoding }) => {
    const codec = MESSAGES[message]!
    expect(toHex(codec.encode(revive(value) as object))).toBe(encoding)
    expect(codec.decode(fromHex(encoding))).toEqual(revive(value))
  })

  it('are there for every message', () => {
    expect(new Set(messages.map(({ message }) => message))).toEqual(new Set(Object.keys(MESSAGES)))
  })

  it.each(frames)('frame $heads', ({ heads, body, encoding }) => {
    expect(toHex(encodeFrame(heads, fromHex(body)))).toBe(encoding)
  })
})

describe('decoders', () => {
  it.each(Object.entries(MESSAGES))(
    'of %s take any bytes, and throw PROTOCOL_VIOLATION or nothing',
    (_, codec) => {
      const samples = messages.map(({ encoding }) => fromHex(encoding))
      const mutated = fc
        .tuple(fc.constantFrom(...samples), fc.nat(), fc.nat({ max: 255 }), fc.nat())
        .map(([sample, at, value, length]) => {
          const bytes = sample.slice(0, length % (sample.byteLength + 1))
          if (bytes.byteLength > 0) bytes[at % bytes.byteLength] = value
          return bytes
        })
      fc.assert(
        fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), bytes => {
          try {
            codec.decode(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(CatalogError)
            expect((error as CatalogError).code).toBe('PROTOCOL_VIOLATION')
          }
        }),
        { numRuns: 300 }
      )
    }
  )

  it('refuse groups nested without end', () => {
    const nested = new Uint8Array(9000).fill(0x0b)
    expect(() => rangeMessage.decode(nested)).toThrow(CatalogError)
  })

  it('skip fields they do not know', () => {
    // Field 15 (extensions), length-delimited, behind a ping.
    expect(pingMessage.decode(fromHex('08077a02abcd'))).toEqual({ sequence: 7 })
  })
})
