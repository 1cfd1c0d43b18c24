import { appendFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { BlockLocation } from '../../../library/content/record.ts'
import { BlockCodec } from '../../../library/content/types.ts'

/** Most bytes that one system call gives. */
const limits = vi.hoisted(() => ({ readBytes: Number.POSITIVE_INFINITY }))
vi.mock('node:fs', async importOriginal => {
  const real = await importOriginal<typeof import('node:fs')>()
  const readv = (fd: number, targets: Uint8Array[], ...rest: never[]): void => {
    const first = targets[0]!.subarray(0, Math.min(targets[0]!.byteLength, limits.readBytes))
    const whole = limits.readBytes === Number.POSITIVE_INFINITY
    real.readv(fd, whole ? targets : [first], ...(rest as unknown as [number, never]))
  }
  return { ...real, readv }
})

const { silentLogger } = await import('../../../base/index.ts')
const { BlockReader } = await import('../../../library/content/reader.ts')
const { checksumOf, encodeLocation, RECORD_HEAD_BYTES } = await import('../../../library/content/record.ts')
const { SegmentFiles } = await import('../../../library/content/segment-files.ts')
const { makeBlock } = await import('./fakes.ts')

let folder: string
let files: InstanceType<typeof SegmentFiles>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-reader-'))
  files = new SegmentFiles(folder)
  limits.readBytes = Number.POSITIVE_INFINITY
})
afterEach(async () => {
  await files.close()
  await rm(folder, { recursive: true })
})

test('a segment that could not be opened once is opened by the next read', async () => {
  await symlink('0', join(folder, '0'))
  await expect(files.readInto(0, [Buffer.alloc(1)], 0)).rejects.toMatchObject({ code: 'ELOOP' })
  await rm(join(folder, '0'))
  await writeFile(join(folder, '0'), 'x')
  expect(await files.readInto(0, [Buffer.alloc(1)], 0)).toBe(1)
})

test('a read that the system answers in parts is whole, and ends at the end of the file', async () => {
  await appendFile(join(folder, '0'), 'the bytes')
  limits.readBytes = 2
  const targets = [Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(6), Buffer.alloc(4)]
  expect(await files.readInto(0, targets, 0)).toBe(9)
  expect(Buffer.concat(targets).toString()).toBe('the bytes\0\0\0\0')
})

const block = makeBlock(1, 100)
const location = { segment: 0, offsetBytes: 0, lengthBytes: 100, codec: block.codec, rawLengthBytes: 100 }
const readerOf = (
  readInto: (targets: Uint8Array[]) => Promise<number>,
  row: BlockLocation = location
): InstanceType<typeof BlockReader> =>
  new BlockReader({
    index: { get: () => encodeLocation(row) },
    files: { readInto: (_: number, targets: Uint8Array[]) => readInto(targets), drop: () => {} } as never,
    log: silentLogger,
    onCorrupt: () => {}
  })
const failure = (code: string, syscall: string) => async (): Promise<number> => {
  throw Object.assign(new Error(code), { code, syscall })
}

test('a place that the disk cannot read is a bad block; a file that cannot be opened is an error', async () => {
  expect(await readerOf(failure('EIO', 'read')).check(block.id)).toBe('corrupt')
  await expect(readerOf(failure('EIO', 'open')).check(block.id)).rejects.toMatchObject({ code: 'DISK_IO' })
})

test('many blocks at rest are told by their checksum alone where there is one, and are not decoded', async () => {
  const frame = Buffer.from('what was decoded and hashed when it was stored')
  const stored = { codec: BlockCodec.Zstd, rawLengthBytes: 1000, bytes: frame }
  const row = {
    segment: 0,
    offsetBytes: 0,
    lengthBytes: frame.byteLength,
    codec: stored.codec,
    rawLengthBytes: 1000
  }
  const give = async (targets: Uint8Array[]): Promise<number> => frame.copy(targets[0]!)
  const readAll = (checksum?: Uint8Array): Promise<unknown> =>
    readerOf(give, { ...row, checksum }).readStoredMany([block.id], size => Buffer.alloc(size))
  expect(await readAll(checksumOf(stored))).toEqual([stored])
  await expect(readAll(new Uint8Array(16))).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
  await expect(readAll()).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
})

test('a block whose bytes are right at the second look is there again', async () => {
  await writeFile(join(folder, '0'), Buffer.concat([Buffer.alloc(RECORD_HEAD_BYTES), block.bytes]))
  let isFirst = true
  const reader = readerOf(async targets => {
    if (isFirst) {
      isFirst = false
      return 100
    }
    return await files.readInto(0, targets, RECORD_HEAD_BYTES)
  })
  expect(await reader.check(block.id)).toBe('corrupt')
  expect(await reader.check(block.id)).toBe('missing')
  reader.trust(block.id, location)
  expect(await reader.check(block.id)).toBe('good')
})
