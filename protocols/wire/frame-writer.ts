import type { Stream } from '@libp2p/interface'

/** Bytes of an unsigned varint below 2^32. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

/** Writes an unsigned varint below 2^32 into `target` at `offset`; returns the offset after it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset
  let rest = value
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[at++] = rest
  return at
}

/** A frame in one buffer: the numbers `heads`, the length of `body`, and `body`. */
export function encodeFrame(heads: readonly number[], body: Uint8Array): Uint8Array {
  let length = varintLength(body.byteLength) + body.byteLength
  for (const head of heads) length += varintLength(head)
  const frame = new Uint8Array(length)
  let offset = 0
  for (const head of heads) offset = writeVarint(frame, offset, head)
  offset = writeVarint(frame, offset, body.byteLength)
  frame.set(body, offset)
  return frame
}

/**
 * Resolves when the stream takes more, rejects when it ends first or `signal` aborts. Whoever sends in bulk waits here
 * before each send: the queue of the stream then never holds more than one send beyond its own high-water mark.
 */
export async function drained(stream: Stream, signal?: AbortSignal): Promise<void> {
  while (stream.writableNeedsDrain) await oneDrain(stream, signal)
}

function oneDrain(stream: Stream, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  if (stream.status !== 'open') throw new StreamEndedError()
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => (): void => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const onDrain = finish(resolve)
    const onClose = finish(() => reject(new StreamEndedError()))
    const onAbort = finish(() => reject(signal?.reason))
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
    signal?.addEventListener('abort', onAbort)
  })
}

/** The stream ended while something waited to be sent; `fromTransport` makes it STREAM_TRUNCATED. */
class StreamEndedError extends Error {
  override name = 'StreamClosedError'
  constructor() {
    super('the stream ended while data waited to be sent')
  }
}
