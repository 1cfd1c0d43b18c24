import type { Codec } from 'protons-runtime'
import { CatalogError, KIB } from '../../base/index.ts'

/** What protons generates for a message: the part that is used here. */
interface GeneratedMessage<T> {
  codec: () => Codec<T>
  encode(value: Partial<T>): Uint8Array
  decode(bytes: Uint8Array): T
}

/** A message of the wire with its bounds: bytes outside them are refused before they are decoded. */
export interface WireMessage<T> {
  readonly name: string
  readonly minBytes: number
  readonly maxBytes: number
  /** LIMIT_EXCEEDED when the result is larger than peers accept. */
  encode(value: Partial<T>): Uint8Array
  /** PROTOCOL_VIOLATION for anything that is not such a message. The result may share memory with `bytes`. */
  decode(bytes: Uint8Array): T
}

export interface MessageBounds<T> {
  minBytes: number
  maxBytes: number
  /** Says what is wrong with a decoded message, or nothing: bounds that protobuf cannot state. */
  check?: (value: T) => string | undefined
}

/** Declares a message: its name in errors, its generated codec and its bounds. */
export function declareMessage<T>(
  name: string,
  generated: GeneratedMessage<T>,
  bounds: MessageBounds<T>
): WireMessage<T> {
  const { minBytes, maxBytes, check } = bounds
  return {
    name,
    minBytes,
    maxBytes,
    encode(value) {
      const bytes = generated.encode(value)
      if (bytes.byteLength > maxBytes)
        throw new CatalogError(
          'LIMIT_EXCEEDED',
          `${name} of ${bytes.byteLength} bytes, at most ${maxBytes}`,
          {
            details: { message: name, sizeBytes: bytes.byteLength, limitBytes: maxBytes }
          }
        )
      return bytes
    },
    decode(bytes) {
      checkSize(name, bytes.byteLength, minBytes, maxBytes)
      const value = decodeGenerated(name, generated, bytes)
      const wrong = check?.(value)
      if (wrong !== undefined) throw new CatalogError('PROTOCOL_VIOLATION', `${name}: ${wrong}`)
      return value
    }
  }
}

/** Throws PROTOCOL_VIOLATION unless `minBytes <= sizeBytes <= maxBytes`. */
export function checkSize(name: string, sizeBytes: number, minBytes: number, maxBytes: number): void {
  if (sizeBytes >= minBytes && sizeBytes <= maxBytes) return
  throw new CatalogError(
    'PROTOCOL_VIOLATION',
    `${name} of ${sizeBytes} bytes, allowed are ${minBytes} to ${maxBytes}`,
    { details: { message: name, sizeBytes, minBytes, maxBytes } }
  )
}

function decodeGenerated<T>(name: string, generated: GeneratedMessage<T>, bytes: Uint8Array): T {
  try {
    return generated.decode(bytes)
  } catch (cause) {
    // Whatever the decoder stumbled over (index, varint, nesting, number of elements), it was the peer's bytes.
    throw new CatalogError('PROTOCOL_VIOLATION', `${name} cannot be decoded`, { cause })
  }
}

/** A request that is made over the control stream, and its answer. */
export interface RequestType<Q, A> {
  /** Number on the wire; a contract, listed in docs/wire.md. */
  readonly method: number
  /** For logs, metrics and errors, e.g. `records.get`. */
  readonly name: string
  readonly request: WireMessage<Q>
  readonly response: WireMessage<A>
  /** The asker gives up after this long unless it says otherwise; the answerer stops working on it then. */
  readonly timeoutMs: number
}

/** No payload of a control request or response is larger, so that one stream serves all without long waits. */
export const MAX_PAYLOAD_BYTES = 512 * KIB
/** Methods are numbers below this: the frame tag stays within two bytes. */
export const MAX_METHOD = 2047

/** Declares a request of the control stream; throws INTERNAL on a declaration that breaks the bounds above. */
export function declareRequest<Q, A>(type: RequestType<Q, A>): RequestType<Q, A> {
  const fits =
    Number.isInteger(type.method) &&
    type.method >= 1 &&
    type.method <= MAX_METHOD &&
    type.request.maxBytes <= MAX_PAYLOAD_BYTES &&
    type.response.maxBytes <= MAX_PAYLOAD_BYTES
  if (!fits) throw new CatalogError('INTERNAL', `request type ${type.name} breaks the limits of control/1`)
  return type
}
