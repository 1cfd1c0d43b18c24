import { MAX_REGION_LENGTH } from '../../config/index.ts'
import { declareMessage } from '../wire/message.ts'
import {
  MAX_GOODBYE_BYTES,
  MAX_HELLO_BYTES,
  MAX_SMALL_BYTES,
  MAX_UNKNOWN_REQUEST_BYTES,
  REQUEST_OVERHEAD_BYTES,
  RESPONSE_OVERHEAD_BYTES
} from './limits.ts'
import * as generated from './messages.js'

export type { Hello } from './messages.js'

/** Kinds of frames: the low three bits of a frame's tag; the method stands above them. 7 is reserved. */
export const FrameKind = {
  Hello: 0,
  Request: 1,
  Response: 2,
  Cancel: 3,
  Ping: 4,
  Pong: 5,
  Goodbye: 6
} as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]
export const KIND_BITS = 3
export const KIND_MASK = 0b111

/** Version in Hello; grows with additions that both sides can do without. */
export const CONTROL_VERSION = 1
const INSTANCE_BYTES = 8
const MAX_AGENT_LENGTH = 64
const MAX_FEATURE_LENGTH = 32

/** Why a peer says goodbye. */
export const GoodbyeReason = { Shutdown: 1, Restart: 2, TooManyPeers: 3, Unwanted: 4 } as const
export type GoodbyeReason = (typeof GoodbyeReason)[keyof typeof GoodbyeReason]

export const helloMessage = declareMessage('hello', generated.Hello, {
  minBytes: 2,
  maxBytes: MAX_HELLO_BYTES,
  check: hello => {
    if (hello.version < 1) return 'version 0'
    if (hello.instance.byteLength !== INSTANCE_BYTES) return `instance is not ${INSTANCE_BYTES} bytes`
    if (hello.agent.length > MAX_AGENT_LENGTH) return 'agent too long'
    if (hello.features.some(feature => feature.length > MAX_FEATURE_LENGTH)) return 'feature too long'
    // What a label consists of, whoever uses it looks at.
    if (hello.region.length > MAX_REGION_LENGTH) return 'region too long'
    return undefined
  }
})
const hasId = (message: { id: number }): string | undefined => (message.id === 0 ? 'id 0' : undefined)

/** The bounds of the payload are those of the method; here only the envelope counts. */
export const requestMessage = declareMessage('request', generated.Request, {
  minBytes: 2,
  maxBytes: Number.MAX_SAFE_INTEGER,
  check: hasId
})
export const responseMessage = declareMessage('response', generated.Response, {
  minBytes: 2,
  maxBytes: Number.MAX_SAFE_INTEGER,
  check: hasId
})
export const cancelMessage = declareMessage('cancel', generated.Cancel, {
  minBytes: 2,
  maxBytes: MAX_SMALL_BYTES,
  check: hasId
})
export const pingMessage = declareMessage('ping', generated.Ping, { minBytes: 0, maxBytes: MAX_SMALL_BYTES })
export const goodbyeMessage = declareMessage('goodbye', generated.Goodbye, {
  minBytes: 0,
  maxBytes: MAX_GOODBYE_BYTES
})

/** A method as the limits of its frames see it. */
interface PayloadBounds {
  request: { maxBytes: number }
  response: { maxBytes: number }
}

/**
 * Largest body of a frame; undefined when there is no such frame. Known from the tag alone, before anything is
 * buffered. `type` is the declaration of the tag's method, where one is known here.
 */
export function maxBodyBytes(
  kind: number,
  method: number,
  type: PayloadBounds | undefined
): number | undefined {
  if (kind === FrameKind.Request)
    return type === undefined ? MAX_UNKNOWN_REQUEST_BYTES : type.request.maxBytes + REQUEST_OVERHEAD_BYTES
  if (kind === FrameKind.Response)
    return type === undefined ? undefined : type.response.maxBytes + RESPONSE_OVERHEAD_BYTES
  if (method !== 0) return undefined
  return FIXED_BODY_BYTES[kind]
}

const FIXED_BODY_BYTES: Record<number, number | undefined> = {
  [FrameKind.Hello]: MAX_HELLO_BYTES,
  [FrameKind.Cancel]: MAX_SMALL_BYTES,
  [FrameKind.Ping]: MAX_SMALL_BYTES,
  [FrameKind.Pong]: MAX_SMALL_BYTES,
  [FrameKind.Goodbye]: MAX_GOODBYE_BYTES
}
