/** Servers that answer wrongly: an error with a name, and never a wrong byte as a right one. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { hashBlock } from '../../../library/content/blocks.ts'
import { type Bucket, BucketOwner, openBucket } from '../../../library/content/bucket.ts'
import { BucketReads } from '../../../library/content/bucket-reads.ts'
import { BlockReader } from '../../../library/content/reader.ts'
import { encodeLocation, RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import type { SegmentReads } from '../../../library/content/segment-backend.ts'
import { eventually } from '../../eventually.ts'
import { makeBlock } from './fakes.ts'

const OWNER = 'a'.repeat(32)
const block = makeBlock(1, 5000)
const location = { segment: 0, offsetBytes: 0, lengthBytes: 5000, codec: block.codec, rawLengthBytes: 5000 }
const segment = Buffer.concat([Buffer.alloc(RECORD_HEAD_BYTES), block.bytes])

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void

let server: http.Server
let bucket: Bucket
let asked = 0
const corrupt: string[] = []

/** A reader of one block, whose segment is not here, from a bucket that answers so. */
async function readerOn(answer: Answer): Promise<BlockReader> {
  asked = 0
  corrupt.length = 0
  server = http.createServer((request, response) => {
    if (request.url?.includes('/owner') === true) return void serve(request, response, Buffer.from(OWNER))
    asked++
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'a', secretAccessKey: 'secret' }
  bucket = await openBucket({ endpoint, region: 'us-east-1', bucket: 'catalog', prefix: '', credentials })
  const nowhere: SegmentReads = {
    readInto: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
    drop: () => {},
    close: async () => {}
  }
  return new BlockReader({
    index: { get: () => encodeLocation(location) },
    files: new BucketReads({ local: nowhere, bucket, owner: new BucketOwner(bucket, OWNER) }),
    log: silentLogger,
    onCorrupt: id => corrupt.push(Buffer.from(id).toString('hex'))
  })
}

afterEach(async () => {
  bucket.close()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** As a right server answers a range. */
function serve(request: http.IncomingMessage, response: http.ServerResponse, bytes: Buffer): void {
  const [, from = '0', to = '0'] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
  const part = bytes.subarray(Number(from), Number(to) + 1)
  const range = `bytes ${from}-${Number(from) + part.byteLength - 1}/${bytes.byteLength}`
  response.writeHead(206, { 'content-length': part.byteLength, 'content-range': range })
  response.end(part)
}

const fail =
  (status: number, code: string): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`)
  }

describe('a bucket', () => {
  test('that answers rightly is read, once for what stands together', async () => {
    const reader = await readerOn((request, response) => serve(request, response, segment))
    expect(hashBlock(await reader.read(block.id))).toEqual(block.id)
    await reader.read(block.id)
    expect(asked).toBe(1)
  })

  test.each<[string, Answer, string]>([
    ['403', fail(403, 'AccessDenied'), 'BUCKET_REFUSED'],
    ['404 for the bucket', fail(404, 'NoSuchBucket'), 'BUCKET_REFUSED'],
    ['500', fail(500, 'InternalError'), 'BUCKET_UNREACHABLE'],
    ['503', fail(503, 'SlowDown'), 'BUCKET_UNREACHABLE'],
    ['what is no answer', (_, response) => void response.destroy(), 'BUCKET_UNREACHABLE'],
    ['the whole object without end', (_, response) => endless(response), 'BUCKET_UNREACHABLE'],
    ['fewer bytes than it says', (request, response) => truncated(request, response), 'BUCKET_UNREACHABLE'],
    ['the wrong range', (_, response) => otherRange(response), 'BUCKET_UNREACHABLE']
  ])('that answers %s fails with a name, and the block is not given up', async (_, answer, code) => {
    const reader = await readerOn(answer)
    await expect(reader.read(block.id)).rejects.toMatchObject({ code })
    await expect(reader.check(block.id)).rejects.toMatchObject({ code })
    expect(corrupt).toEqual([])
  })

  test('that is away for a moment is asked again by itself, and no more while it is away for long', async () => {
    let away = 2
    const reader = await readerOn((request, response) =>
      away-- > 0 ? response.destroy() : serve(request, response, segment)
    )
    expect(hashBlock(await reader.read(block.id))).toEqual(block.id)
    expect(asked, 'twice more').toBe(3)
    away = Number.POSITIVE_INFINITY
    for (let read = 0; read < 10; read++)
      await expect(bucket.get('other', 0, 10)).rejects.toMatchObject({ code: 'BUCKET_UNREACHABLE' })
    expect(
      asked - 3,
      'three reads of three tries; and the others fail at once, but for one trial a second'
    ).toBeLessThan(3 * 10)
    away = 0
    await eventually(async () => (await bucket.get('other', 0, 10).catch(() => undefined)) !== undefined)
  })

  test('that is back is read although a segment is being sent that takes long', async () => {
    let isAway = true
    let isSending = false
    const reader = await readerOn((request, response) => {
      if (isAway) response.destroy()
      else if (request.method === 'PUT') isSending = true
      else serve(request, response, segment)
    })
    for (let read = 0; read < 4; read++)
      await expect(bucket.get('other', 0, 10)).rejects.toMatchObject({ code: 'BUCKET_UNREACHABLE' })
    isAway = false
    const object = { sizeBytes: segment.byteLength, sha256: Buffer.from(block.id).toString('hex') }
    const put = eventually(async () => {
      await bucket.put('segment', Readable.from([segment]), object).catch(() => undefined)
      return isSending
    })
    await eventually(() => isSending)
    await eventually(async () => (await reader.read(block.id).catch(() => undefined)) !== undefined)
    bucket.close()
    await put
  })

  test('is told when what is sent cannot be read to its end', async () => {
    await readerOn(request => request.resume())
    const torn = new CatalogError('DISK_IO', 'the segment ends early')
    const body = async function* () {
      yield Buffer.alloc(1000)
      throw torn
    }
    const object = { sizeBytes: 5000, sha256: '00'.repeat(32) }
    await expect(bucket.put('segments/1', body(), object)).rejects.toBe(torn)
  })

  test('whose clock differs is asked again, with the time that it told', async () => {
    const reader = await readerOn((request, response) =>
      asked === 1 ? fail(403, 'RequestTimeTooSkewed')(request, response) : serve(request, response, segment)
    )
    expect(hashBlock(await reader.read(block.id))).toEqual(block.id)
    expect(asked).toBe(2)
  })

  test('whose listing has no end is not followed for ever', async () => {
    await readerOn((_, response) => {
      const next = `<IsTruncated>true</IsTruncated><NextContinuationToken>${asked}</NextContinuationToken>`
      response.writeHead(200, { 'content-type': 'application/xml' })
      response.end(`<?xml version="1.0"?><ListBucketResult>${next}</ListBucketResult>`)
    })
    const names = Array.fromAsync(bucket.list())
    await expect(names).rejects.toMatchObject({ code: 'BUCKET_UNREACHABLE' })
    expect(asked).toBe(100)
  })

  test('whose error says nothing shows no secret', async () => {
    const reader = await readerOn(fail(403, 'SignatureDoesNotMatch'))
    const error = await reader.read(block.id).catch((thrown: Error) => thrown)
    expect(JSON.stringify(error) + (error as Error).message).not.toContain('secret')
  })

  test('that has lost the segment: the block is corrupt, and is given up', async () => {
    const reader = await readerOn(fail(404, 'NoSuchKey'))
    await expect(reader.read(block.id)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    expect(corrupt).toHaveLength(1)
  })

  test('whose object is shorter than it was: the same', async () => {
    const reader = await readerOn((request, response) => serve(request, response, segment.subarray(0, 3000)))
    await expect(reader.read(block.id)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
  })

  test('that flips a bit is found out, and asked anew: what was wrong is not remembered', async () => {
    const flipped = Buffer.from(segment)
    flipped[RECORD_HEAD_BYTES + 100]! ^= 1
    const reader = await readerOn((request, response) =>
      serve(request, response, asked === 1 ? flipped : segment)
    )
    await expect(reader.read(block.id)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    expect(corrupt).toHaveLength(1)
    reader.trust(block.id, location)
    expect(hashBlock(await reader.read(block.id))).toEqual(block.id)
  })

  test('that never answers holds nobody once it is closed', async () => {
    let isAsked = (): void => {}
    const first = new Promise<void>(resolve => {
      isAsked = resolve
    })
    const reader = await readerOn(() => isAsked())
    const read = reader.read(block.id)
    read.catch(() => {})
    await first
    bucket.close()
    await expect(read).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  })
})

function endless(response: http.ServerResponse): void {
  response.writeHead(200)
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
  }
  response.on('drain', more)
  more()
}

function truncated(request: http.IncomingMessage, response: http.ServerResponse): void {
  const range = `bytes 0-${segment.byteLength - 1}/${segment.byteLength}`
  response.writeHead(206, { 'content-length': segment.byteLength, 'content-range': range })
  response.write(segment.subarray(0, 1000), () => request.socket.destroy())
}

function otherRange(response: http.ServerResponse): void {
  response.writeHead(206, { 'content-length': 100, 'content-range': `bytes 0-99/${segment.byteLength}` })
  response.end(segment.subarray(0, 100))
}
