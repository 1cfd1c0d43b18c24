/** Contents as tar streams, and other bulk bytes, that come over the admin socket: as fast as they are taken (what goes out is in streams.ts). */
import type { Readable } from 'node:stream'
import { freeMemory, MIB } from '../../base/index.ts'
import { type Ingest, type IngestResult, truncated } from '../../library/index.ts'

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
