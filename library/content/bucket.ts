/**
 * A bucket that holds sealed segments, as the few operations the store needs. bucket-s3.ts speaks to a real one; it and the
 * library below it are loaded only when a bucket is configured.
 *
 * What can go wrong has three names: BUCKET_UNREACHABLE when it may be well later, BUCKET_REFUSED when an operator must
 * change something, BUCKET_CONFLICT when the bucket holds what this store did not put there.
 */
import { CatalogError } from '../../base/index.ts'
import { hashBlock, idHex } from './blocks.ts'

export interface BucketCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** Where the bucket is and how to come in. Plain data: it goes to the worker. Never logged. */
export interface BucketSettings {
  /** http or https; a path in it is kept. */
  endpoint: string
  region: string
  bucket: string
  /** What the name of every object begins with. */
  prefix: string
  credentials: BucketCredentials
}

export interface BucketObject {
  sizeBytes: number
  /** SHA-256 of all its bytes, in hex, as whoever put it said. */
  sha256?: string | undefined
}

/** Names are without the prefix. Everything fails with BUCKET_UNREACHABLE or BUCKET_REFUSED, or with the signal's reason. */
export interface Bucket {
  /** Resolves when the bucket says that it has all of it. `body` yields exactly `sizeBytes`. */
  put(
    name: string,
    body: AsyncIterable<Uint8Array>,
    object: BucketObject & { sha256: string },
    signal?: AbortSignal
  ): Promise<void>
  /** A part of an object, shorter only at its end; undefined when there is no such object. */
  get(name: string, fromBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Buffer | undefined>
  head(name: string, signal?: AbortSignal): Promise<BucketObject | undefined>
  /** Nothing happens when it is not there. */
  remove(name: string, signal?: AbortSignal): Promise<void>
  list(signal?: AbortSignal): AsyncIterable<{ name: string; sizeBytes: number }>
  close(): void
}

export async function openBucket(settings: BucketSettings): Promise<Bucket> {
  const { S3Bucket } = await import('./bucket-s3.ts')
  return new S3Bucket(settings)
}

/** The object that says whose the segments are. */
const OWNER_NAME = 'owner'
/** Of an id: 16 random bytes in hex. */
const OWNER_CHARS = 32

/**
 * Guards a bucket against a second store, and a store against a bucket that is not its own: with a wrong prefix every
 * segment would look lost.
 */
export class BucketOwner {
  readonly #bucket: Bucket
  readonly #id: string
  #isClaimed = false

  /** `id` is the store's own, kept beside its segments. */
  constructor(bucket: Bucket, id: string) {
    this.#bucket = bucket
    this.#id = id
  }

  /** BUCKET_CONFLICT unless the bucket is this store's, or nobody's: then it is this store's from now on. */
  async claim(signal?: AbortSignal): Promise<void> {
    if (this.#isClaimed) return
    const owner = await this.#read(signal)
    if (owner === undefined) {
      const body = Buffer.from(this.#id, 'latin1')
      const object = { sizeBytes: body.byteLength, sha256: idHex(hashBlock(body)) }
      await this.#bucket.put(OWNER_NAME, once(body), object, signal)
    } else if (owner !== this.#id) throw foreign()
    this.#isClaimed = true
  }

  /** An object is not there: BUCKET_CONFLICT unless this is the bucket it should be in. */
  async check(signal?: AbortSignal): Promise<void> {
    if ((await this.#read(signal)) !== this.#id) throw foreign()
  }

  async #read(signal?: AbortSignal): Promise<string | undefined> {
    return (await this.#bucket.get(OWNER_NAME, 0, OWNER_CHARS, signal))?.toString('latin1')
  }
}

function foreign(): CatalogError {
  return new CatalogError(
    'BUCKET_CONFLICT',
    'the bucket and prefix of store.s3 hold the segments of another store, or none of this one'
  )
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}
