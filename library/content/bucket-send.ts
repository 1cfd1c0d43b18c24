/** Sends one segment to the bucket, unless it is there already, as after a crash before the acknowledgement was noted. */
import { createHash } from 'node:crypto'
import { CatalogError, MIB } from '../../base/index.ts'
import type { Bucket } from './bucket.ts'
import type { SegmentReads } from './segment-backend.ts'

/** Read and hashed in one piece: about a millisecond of the worker's time. */
const PIECE_BYTES = MIB

/** A sealed segment as it stands here. */
export interface SegmentSource {
  segment: number
  sizeBytes: number
  /** Another object of that name is what an earlier try left. */
  mayReplace: boolean
  reads: Pick<SegmentReads, 'readInto'>
}

/** BUCKET_CONFLICT when there is another object of that name that this store has not put there. */
export async function sendSegment(
  bucket: Bucket,
  name: string,
  source: SegmentSource,
  signal: AbortSignal
): Promise<void> {
  const { sizeBytes } = source
  const hash = createHash('sha256')
  for await (const piece of pieces(source, signal)) hash.update(piece)
  const sha256 = hash.digest('hex')
  const there = await bucket.head(name, signal)
  if (there?.sizeBytes === sizeBytes && there.sha256 === sha256) return
  if (there !== undefined && !source.mayReplace)
    throw new CatalogError(
      'BUCKET_CONFLICT',
      `the bucket has another object ${name} than this store would send`,
      {
        details: { name, sizeBytes, foundBytes: there.sizeBytes }
      }
    )
  await bucket.put(name, pieces(source, signal), { sizeBytes, sha256 }, signal)
}

async function* pieces(
  { segment, sizeBytes, reads }: SegmentSource,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
    signal.throwIfAborted()
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, sizeBytes - at))
    const filled = await reads.readInto(segment, [piece], at)
    if (filled < piece.byteLength)
      throw new CatalogError('DISK_IO', `segment ${segment} ends at ${at + filled} of ${sizeBytes} bytes`)
    yield piece
  }
}
