/**
 * A bucket behind the S3 protocol, with the client of the AWS SDK. Checksums of the SDK's own are off, since not every server
 * knows them: what is sent carries its SHA-256, which those that know it check, and what is read is hashed block by
 * block above. Objects are addressed by path, which every server takes.
 */
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client
} from '@aws-sdk/client-s3'
import {
  CatalogError,
  CircuitBreaker,
  type CircuitBreakerOptions,
  MINUTE_MS,
  type RetryPolicy,
  retry,
  SECOND_MS,
  systemClock,
  timeoutSignal,
  toCatalogError
} from '../../base/index.ts'
import type { Bucket, BucketObject, BucketSettings } from './bucket.ts'

/** A bucket that takes longer to answer is away, as far as a reader is concerned. */
const CONNECT_TIMEOUT_MS = 5 * SECOND_MS
/** Of a request without a large body, its repetitions included: a part of 1 MiB at 35 kB/s. */
const REQUEST_TIMEOUT_MS = 30 * SECOND_MS
/** Of sending one segment: 64 MiB at 75 kB/s. */
const PUT_TIMEOUT_MS = 15 * MINUTE_MS
/** Tries of a request that was not answered. */
const AGAIN: RetryPolicy = { attempts: 3, firstDelayMs: 100, maxDelayMs: SECOND_MS, factor: 4, jitter: 0.5 }
/** Where no server answers, readers fail at once instead of waiting out CONNECT_TIMEOUT_MS each; once a second one tries. */
const BREAKER: CircuitBreakerOptions = { name: 'the bucket', failureThreshold: 3, coolDownMs: SECOND_MS }
/** The SDK has set its clock by such an answer, so that the next request is taken. */
const CLOCK_SKEW = 'RequestTimeTooSkewed'
/** Objects named in one answer; the protocol's own limit. */
const LIST_OBJECTS = 1000
/** Answers of one listing at most: segments of 6 TB. A server that always says there is more must not be asked for ever. */
const MAX_LIST_ANSWERS = 100
/** Of a server's message, in ours. */
const MAX_SAID_CHARS = 200
/** The name of the user's metadata: `x-amz-meta-sha256`. */
const SHA256_META = 'sha256'

/** What an error of the SDK tells. */
interface ServiceError {
  name: string
  message?: string
  $metadata?: { httpStatusCode?: number }
}

export class S3Bucket implements Bucket {
  readonly #client: S3Client
  readonly #settings: BucketSettings
  readonly #closing = new AbortController()
  readonly #breaker = new CircuitBreaker({ clock: systemClock, isFailure: isUnreachable }, BREAKER)

  constructor(settings: BucketSettings) {
    const { endpoint, region, credentials } = settings
    this.#settings = settings
    this.#client = new S3Client({
      endpoint,
      region,
      credentials,
      forcePathStyle: true,
      // Here requests are repeated by `retry`, as everywhere.
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS }
    })
  }

  async put(
    name: string,
    body: AsyncIterable<Uint8Array>,
    { sizeBytes, sha256 }: BucketObject & { sha256: string },
    signal?: AbortSignal
  ): Promise<void> {
    const Body = Readable.from(body, { objectMode: false })
    // The client listens to no error of what it sends: such an error would end the process, and the request wait for the rest.
    const cut = new AbortController()
    Body.on('error', error => cut.abort(error))
    const command = new PutObjectCommand({
      ...this.#address(name),
      Body,
      ContentLength: sizeBytes,
      ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
      Metadata: { [SHA256_META]: sha256 }
    })
    const ended = signal === undefined ? cut.signal : AbortSignal.any([signal, cut.signal])
    await this.#within(PUT_TIMEOUT_MS, ended, abortSignal => this.#client.send(command, { abortSignal }))
  }

  async get(
    name: string,
    fromBytes: number,
    lengthBytes: number,
    signal?: AbortSignal
  ): Promise<Buffer | undefined> {
    const Range = `bytes=${fromBytes}-${fromBytes + lengthBytes - 1}`
    const command = new GetObjectCommand({ ...this.#address(name), Range })
    return await this.#ask(signal, async abortSignal => {
      try {
        const { Body, ContentRange } = await this.#client.send(command, { abortSignal })
        const bytes = await collect(Body as Readable, lengthBytes)
        const wholeBytes = Number(ContentRange?.split('/')[1])
        const expected = Math.min(lengthBytes, wholeBytes - fromBytes)
        if (bytes.byteLength === expected) return bytes
      } catch (thrown) {
        const { name: reason } = thrown as ServiceError
        if (reason === 'NoSuchKey') return undefined
        if (reason === 'InvalidRange') return Buffer.alloc(0) // it ends before
        throw thrown
      }
      throw this.#unreachable(`answers with other bytes of ${name} than it was asked for`)
    })
  }

  async head(name: string, signal?: AbortSignal): Promise<BucketObject | undefined> {
    const command = new HeadObjectCommand(this.#address(name))
    return await this.#ask(signal, async abortSignal => {
      try {
        const { ContentLength = 0, Metadata } = await this.#client.send(command, { abortSignal })
        return { sizeBytes: ContentLength, sha256: Metadata?.[SHA256_META] }
      } catch (thrown) {
        if ((thrown as ServiceError).$metadata?.httpStatusCode === 404) return undefined
        throw thrown
      }
    })
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const command = new DeleteObjectCommand(this.#address(name))
    await this.#ask(signal, async abortSignal => {
      try {
        await this.#client.send(command, { abortSignal })
      } catch (thrown) {
        if ((thrown as ServiceError).name !== 'NoSuchKey') throw thrown
      }
    })
  }

  async *list(signal?: AbortSignal): AsyncGenerator<{ name: string; sizeBytes: number }> {
    const { bucket, prefix } = this.#settings
    let token: string | undefined
    for (let answers = 0; answers < MAX_LIST_ANSWERS; answers++) {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: LIST_OBJECTS,
        ContinuationToken: token
      })
      const page = await this.#ask(signal, abortSignal => this.#client.send(command, { abortSignal }))
      for (const { Key = '', Size = 0 } of page.Contents ?? [])
        yield { name: Key.slice(prefix.length), sizeBytes: Size }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      if (token === undefined) return
    }
    throw this.#unreachable(`names more than ${MAX_LIST_ANSWERS * LIST_OBJECTS} objects`)
  }

  close(): void {
    this.#closing.abort(new CatalogError('SHUTTING_DOWN', 'the bucket is closed'))
    this.#client.destroy()
  }

  #address(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: this.#settings.prefix + name }
  }

  /** For short questions: again when it was not answered, in one time limit, and not at all where nobody answers. */
  #ask<T>(signal: AbortSignal | undefined, request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#within(REQUEST_TIMEOUT_MS, signal, request, (attempt, ended) =>
      this.#breaker.run(() =>
        retry(attempt, AGAIN, { clock: systemClock, signal: ended, retryable: isWorthAnother })
      )
    )
  }

  /**
   * Once, unless `repeated` says otherwise. A body that is a stream cannot be sent twice; and it must not be the one trial of a bucket that may be
   * back, for which readers would wait as long as a segment takes.
   */
  async #within<T>(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    request: (signal: AbortSignal) => Promise<T>,
    repeated: (attempt: () => Promise<T>, ended: AbortSignal) => Promise<T> = attempt => attempt()
  ): Promise<T> {
    const timeout = timeoutSignal(timeoutMs)
    const enders = [this.#closing.signal, ...(signal === undefined ? [] : [signal])]
    const ended = AbortSignal.any([timeout, ...enders])
    const throwIfEnded = (): void => {
      for (const ender of enders) ender.throwIfAborted()
      if (timeout.aborted) throw this.#unreachable(`did not answer within ${timeoutMs / SECOND_MS} s`)
    }
    const attempt = async (): Promise<T> => {
      try {
        return await request(ended)
      } catch (thrown) {
        // Who has left says nothing of the bucket.
        throwIfEnded()
        throw thrown instanceof CatalogError ? thrown : this.#translate(thrown as ServiceError)
      }
    }
    try {
      return await repeated(attempt, ended)
    } catch (thrown) {
      throwIfEnded()
      if (toCatalogError(thrown).code === 'CIRCUIT_OPEN')
        throw this.#unreachable('failed repeatedly and is left alone for a second', thrown)
      throw thrown
    }
  }

  #translate(thrown: ServiceError): CatalogError {
    const { name, message = '', $metadata } = thrown
    const status = $metadata?.httpStatusCode
    const said = [name, message.slice(0, MAX_SAID_CHARS)].filter(text => text !== '' && text !== 'Error')
    const what = `says ${[...new Set(said)].join(': ')}`
    // Too many requests, and a time that differs by more than the server likes, pass.
    const isRefused =
      status !== undefined && status >= 300 && status < 500 && status !== 408 && status !== 429
    if (!isRefused) return this.#unreachable(what, thrown)
    return new CatalogError('BUCKET_REFUSED', `the bucket ${this.#settings.bucket} ${what} (${status})`, {
      cause: thrown
    })
  }

  #unreachable(what: string, cause?: unknown): CatalogError {
    const { bucket, endpoint } = this.#settings
    return new CatalogError('BUCKET_UNREACHABLE', `the bucket ${bucket} at ${endpoint} ${what}`, { cause })
  }
}

const isUnreachable = (thrown: unknown): boolean => toCatalogError(thrown).code === 'BUCKET_UNREACHABLE'

const isWorthAnother = (thrown: unknown): boolean =>
  isUnreachable(thrown) || (toCatalogError(thrown).cause as ServiceError | undefined)?.name === CLOCK_SKEW

/** The bytes of an answer; stops one byte beyond what was asked for, whatever the server goes on to send. */
async function collect(body: Readable, mostBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body as AsyncIterable<Uint8Array>) {
    parts.push(part)
    bytes += part.byteLength
    if (bytes > mostBytes) break
  }
  return Buffer.concat(parts, bytes)
}
