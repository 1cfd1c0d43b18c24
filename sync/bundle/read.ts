import { ByteSource, CatalogError } from '../../base/index.ts'
import { BLOCK_ID_BYTES, HOME_LIBRARY, isLibraryName } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  BLOCK_HEAD_BYTES,
  BUNDLE_MAGIC,
  type BundleKind,
  type BundlePart,
  FRAME_HEAD_BYTES,
  KIND_BYTES,
  MAX_BODY_BYTES,
  MAX_BUNDLE_RECORDS,
  RECORD_LENGTH_BYTES
} from './parts.ts'

const KINDS = new Map(Object.entries(KIND_BYTES).map(([kind, byte]) => [byte, kind as BundleKind]))

const NO_BUNDLE = 'is no bundle, or one of a later version'

/** What may follow a part. */
const FOLLOWERS: Readonly<Record<BundleKind | 'begin', readonly BundleKind[]>> = {
  begin: ['name', 'head'],
  name: ['head'],
  head: ['record', 'end'],
  record: ['record', 'content', 'end'],
  content: ['block', 'whole'],
  block: ['block', 'whole'],
  whole: ['content', 'end'],
  end: []
}

/**
 * The parts of a bundle, in the order of the format, with memory of their own. Holds one of them, whatever the file says. Throws
 * BUNDLE_INVALID where it is not in its one form, is cut off, or was changed: at the end at the latest, so what a part says
 * counts only as far as it can be checked by itself.
 */
export async function* readBundle(source: AsyncIterable<Uint8Array>): AsyncGenerator<BundlePart> {
  const bytes = new ByteSource(source, invalid)
  if (!bytesEqual(await bytes.take(BUNDLE_MAGIC.byteLength, NO_BUNDLE), BUNDLE_MAGIC))
    throw invalid(NO_BUNDLE)
  let last: BundleKind | 'begin' = 'begin'
  let records = 0
  for (;;) {
    const { kind, lengthBytes } = frameHead(await bytes.take(FRAME_HEAD_BYTES))
    if (!FOLLOWERS[last].includes(kind)) throw invalid(`has a part "${kind}" after "${last}"`)
    if (kind === 'record' && ++records > MAX_BUNDLE_RECORDS)
      throw invalid(`has more than ${MAX_BUNDLE_RECORDS} records`)
    if (kind === 'end') {
      if (records === 0) throw invalid('has no records')
      const digest = bytes.digest()
      if (!bytesEqual(await bytes.take(lengthBytes), digest))
        throw invalid('was changed: its checksum is wrong')
      return await bytes.expectEnd()
    }
    yield partOf(kind, await bytes.take(lengthBytes))
    last = kind
  }
}

function frameHead(head: Buffer): { kind: BundleKind; lengthBytes: number } {
  const kind = KINDS.get(head[0]!)
  if (kind === undefined) throw invalid(`has a part of the unknown kind ${head[0]}`)
  const lengthBytes = head.readUInt32BE(1)
  if (lengthBytes > MAX_BODY_BYTES[kind]) throw invalid(`has a part "${kind}" of ${lengthBytes} bytes`)
  return { kind, lengthBytes }
}

function partOf(kind: Exclude<BundleKind, 'end'>, body: Buffer): BundlePart {
  switch (kind) {
    case 'name':
      return { kind, name: nameOf(body) }
    case 'head':
      return { kind, head: body }
    case 'record':
      return { kind, ...recordOf(body) }
    case 'content':
      return { kind, content: body }
    case 'block':
      return { kind, ...blockOf(body) }
    case 'whole':
      if (body.byteLength > 0) throw invalid('has a part "whole" that says something')
      return { kind }
  }
}

/** Home is what is meant without one: a bundle has one form. */
function nameOf(body: Buffer): string {
  const name = body.toString('latin1')
  if (!isLibraryName(name) || name === HOME_LIBRARY) throw invalid('has a name that no library there has')
  return name
}

function recordOf(body: Buffer): { record: Uint8Array; proof: Uint8Array } {
  const sizeBytes = body.byteLength < RECORD_LENGTH_BYTES ? Number.NaN : body.readUInt32BE()
  const proofAt = RECORD_LENGTH_BYTES + sizeBytes
  if (!(proofAt <= body.byteLength)) throw invalid('has a record that is longer than its part')
  return { record: body.subarray(RECORD_LENGTH_BYTES, proofAt), proof: body.subarray(proofAt) }
}

function blockOf(body: Buffer): Omit<Extract<BundlePart, { kind: 'block' }>, 'kind'> {
  if (body.byteLength < BLOCK_HEAD_BYTES) throw invalid('has a block without its head')
  return {
    id: body.subarray(0, BLOCK_ID_BYTES),
    codec: body[BLOCK_ID_BYTES]!,
    rawLengthBytes: body.readUInt32BE(BLOCK_ID_BYTES + 1),
    bytes: body.subarray(BLOCK_HEAD_BYTES)
  }
}

const invalid = (what: string): CatalogError => new CatalogError('BUNDLE_INVALID', `the file ${what}`)
