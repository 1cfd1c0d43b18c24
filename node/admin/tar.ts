/**
 * Contents as tar streams, and other bulk bytes, over the admin socket. In: the body goes into an ingest as fast as the store takes it. Out: verified bytes
 * as fast as the client takes them; as bytes are on their way before the last one is checked, the end is told in the
 * trailer `x-catalog-status`: `ok` or an error as JSON. A client must not use what it got without that `ok`.
 */
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { CatalogError, freeMemory, MIB, toCatalogError } from '../../base/index.ts'
import { type Ingest, type IngestResult, truncated } from '../../library/index.ts'
import { ANSWERED } from './route.ts'

export const STATUS_TRAILER = 'x-catalog-status'
/** Socket reads are 64 KiB at most; one message to the worker for each would cost more than the copy into this. */
const BUFFER_BYTES = MIB

/** Feeds a tar stream into an ingest and finishes it. Whatever goes wrong, the client's leaving included, aborts it. */
export async function receiveTar(body: Readable, ingest: Ingest): Promise<IngestResult> {
  try {
    let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    let filled = 0
    for await (const chunk of bodyOf(body, 'the tar')) {
      let taken = 0
      while (taken < chunk.length) {
        const count = Math.min(chunk.length - taken, BUFFER_BYTES - filled)
        buffer.set(chunk.subarray(taken, taken + count), filled)
        taken += count
        filled += count
        if (filled < BUFFER_BYTES) continue
        await ingest.write(buffer)
        buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
        filled = 0
      }
    }
    if (filled > 0) await ingest.write(Uint8Array.from(buffer.subarray(0, filled)))
    return await ingest.finish()
  } catch (error) {
    await ingest.abort()
    throw error
  }
}

/** The body of a request; a piece is valid until the next is asked for. STREAM_TRUNCATED when the client goes away. */
export async function* bodyOf(body: Readable, what: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      yield chunk
      freeMemory(chunk)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
    throw truncated(`the client went away before the end of ${what}`, error)
  }
}

/**
 * Answers with a stream of bytes. An error before the first bytes is thrown and becomes an ordinary error response; a later one goes into the
 * trailer.
 */
export async function sendStream(
  reply: FastifyReply,
  { requestId, type }: { requestId: string; type: string },
  stream: AsyncIterable<Uint8Array>
): Promise<typeof ANSWERED> {
  const chunks = stream[Symbol.asyncIterator]()
  let next = await chunks.next()
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    'content-type': type,
    'x-request-id': requestId,
    trailer: STATUS_TRAILER
  })
  let status = 'ok'
  try {
    for (; next.done !== true; next = await chunks.next()) await writeOut(raw, next.value)
  } catch (error) {
    status = JSON.stringify({ ...toCatalogError(error).toJSON(), requestId })
    await chunks.return?.()
  }
  // A header holds Latin-1: what a message has beyond ASCII goes out escaped, which is still JSON.
  raw.addTrailers({ [STATUS_TRAILER]: asciiJson(status) })
  raw.end()
  return ANSWERED
}

/** Resolves when the bytes are with the system, so that the store may use its buffer again. */
function writeOut(raw: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (raw.destroyed) return reject(new CatalogError('ABORTED', 'the client went away'))
    raw.write(bytes, error => (error ? reject(error) : resolve()))
  })
}

function asciiJson(text: string): string {
  return text.replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
