/** Bytes at rest, frozen: a change of any of these is a new format and needs a migration. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { hashBlock, nodeCid, rawBytesOf, rawCid } from '../../../library/content/blocks.ts'
import { completeMark, decodeCompleteMark } from '../../../library/content/complete.ts'
import { decodePage, PageBuilder } from '../../../library/content/manifest.ts'
import {
  checksumOf,
  decodeLocation,
  decodeTail,
  encodeLocation,
  encodeTail,
  RECORD_HEAD_BYTES,
  readRecordHead,
  writeRecordHead
} from '../../../library/content/record.ts'
import { decodeNode, encodeNode } from '../../../library/content/tree.ts'
import { BlockCodec, type ManifestEntry } from '../../../library/content/types.ts'

const vectors: Record<string, string> = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/content/bytes.json', import.meta.url), 'utf8')
)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (name: string): Buffer => Buffer.from(vectors[name]!, 'hex')

const one = hashBlock(Buffer.from('one'))
const two = hashBlock(Buffer.from('two'))
const children = [
  { id: one, lengthBytes: 65_536 },
  { id: two, lengthBytes: 1 }
]
const entries: ManifestEntry[] = [
  { kind: 'file', path: 'a', mode: 0o644, sizeBytes: 3, root: rawCid(one) },
  { kind: 'directory', path: 'empty', mode: 0o755 },
  { kind: 'symlink', path: 'link', target: '../a' },
  { kind: 'file', path: 'tree', mode: 0o755, sizeBytes: 65_537, root: nodeCid(two) }
]
const location = {
  segment: 3,
  offsetBytes: 4096,
  lengthBytes: 1000,
  codec: BlockCodec.Zstd,
  rawLengthBytes: 65_536
}
const tail = { segment: 3, offsetBytes: 5144, blocks: 2 ** 40, totalBytes: 2 ** 41 }

test('nodes of a file tree', () => {
  expect(hex(encodeNode(1, children))).toBe(vectors.nodeLevel1)
  expect(hex(encodeNode(2, children))).toBe(vectors.nodeLevel2)
  expect(decodeNode(bytesOf('nodeLevel1'), { root: true })).toEqual({ level: 1, sizeBytes: 65_537, children })
  expect(nodeCid(hashBlock(bytesOf('nodeLevel1'))).toString()).toBe(vectors.nodeLevel1Cid)
})

test('a page of a manifest, and the content it is', () => {
  const pages = new PageBuilder()
  for (const entry of entries) expect(pages.add(entry)).toEqual([])
  const page = pages.finish(true)!
  expect(hex(page)).toBe(vectors.page)
  expect(decodePage(bytesOf('page'))).toEqual(entries)
  expect(rawCid(hashBlock(page)).toString()).toBe(vectors.content)
})

test('head of a record in a segment', () => {
  const head = { id: one, codec: BlockCodec.Zstd, lengthBytes: 1000, rawLengthBytes: 65_536 }
  const bytes = Buffer.alloc(RECORD_HEAD_BYTES)
  writeRecordHead(bytes, 0, head)
  expect(hex(bytes)).toBe(vectors.recordHead)
  expect(readRecordHead(bytes, 0)).toMatchObject({ codec: BlockCodec.Zstd, lengthBytes: 1000 })
})

test('values in the index', () => {
  expect(hex(encodeLocation(location))).toBe(vectors.location)
  expect(decodeLocation(bytesOf('location'))).toEqual(location)
  const checksum = checksumOf({ codec: BlockCodec.Zstd, bytes: bytesOf('zstd') })
  expect(hex(encodeLocation({ ...location, checksum }))).toBe(vectors.locationChecked)
  expect(decodeLocation(bytesOf('locationChecked'))).toMatchObject(location)
  expect(hex(decodeLocation(bytesOf('locationChecked')).checksum!)).toBe(hex(checksum!))
  expect(checksumOf({ codec: BlockCodec.Raw, bytes: bytesOf('zstd') })).toBeUndefined()
  expect(hex(encodeTail(tail))).toBe(vectors.tail)
  expect(decodeTail(bytesOf('tail'))).toEqual(tail)
  expect(hex(completeMark({ files: 4, sizeBytes: 65_540 }))).toBe(vectors.complete)
})

test('a block in zstd is one plain frame; how well it is compressed is no part of the format', () => {
  const raw = Buffer.from('Catalog '.repeat(40))
  const read = (name: string): unknown =>
    rawBytesOf({ codec: BlockCodec.Zstd, rawLengthBytes: raw.byteLength, bytes: bytesOf(name) })
  expect(read('zstd')).toEqual(raw)
})

test.each([
  ['nothing', ''],
  ['half a map', 'a2656669'],
  ['null', 'f6'],
  ['a list', '80'],
  ['a number below zero', Buffer.from(completeMark({ files: -1, sizeBytes: 1 })).toString('hex')],
  ['no size', 'a16566696c657304'],
  [
    'a field more',
    `a3616100${Buffer.from(completeMark({ files: 4, sizeBytes: 5 }))
      .toString('hex')
      .slice(2)}`
  ]
])('a mark of a complete content that is %s counts as none', (_, bytes) => {
  expect(decodeCompleteMark(Buffer.from(bytes, 'hex'))).toBeUndefined()
})

test('a mark of a complete content is read back as it was', () => {
  const summary = { files: 4, sizeBytes: 65_540 }
  expect(decodeCompleteMark(completeMark(summary))).toEqual(summary)
})
