import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createReleaseRecord, recordHash, trieKey } from '../../../library/index.ts'
import { BLOCK_HEAD_BYTES, KIND_BYTES, MAX_BODY_BYTES } from '../../../sync/bundle/parts.ts'
import {
  type BundlePart,
  checkBundleRecord,
  proveRecord,
  readBundle,
  writeBundle
} from '../../../sync/index.ts'
import { expectFrozen, PartFiles, readVector, testPartFiles } from '../part-files.ts'
import { keyOf, NOW_MS, small } from '../records/examples.ts'
import { MemoryTree } from './tries.ts'

const refused = expect.objectContaining({ code: 'BUNDLE_INVALID' })
const MAGIC = Buffer.from('catalog-bundle/1\n')

const files = new PartFiles<BundlePart>({ read: readBundle, write: writeBundle })
const bytesOf = (parts: readonly BundlePart[]) => files.bytesOf(parts)
const partsOf = (bytes: Uint8Array) => files.partsOf(bytes)

const some = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const block = fc.record({
  kind: fc.constant('block' as const),
  id: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  codec: fc.nat(255),
  rawLengthBytes: fc.nat(2 ** 32 - 1),
  bytes: some(300)
})
const bundle = fc
  .record({
    name: fc.option(fc.constantFrom('tools', 'a', 'x'.repeat(64))),
    head: some(300),
    records: fc.array(
      fc.record({ kind: fc.constant('record' as const), record: some(200), proof: some(200) }),
      {
        minLength: 1,
        maxLength: 4
      }
    ),
    contents: fc.array(fc.tuple(some(40), fc.array(block, { maxLength: 4 })), { maxLength: 3 })
  })
  .map(({ name, head, records, contents }): BundlePart[] => [
    ...(name === null ? [] : [{ kind: 'name' as const, name }]),
    { kind: 'head', head },
    ...records,
    ...contents.flatMap(([content, blocks]): BundlePart[] => [
      { kind: 'content', content },
      ...blocks,
      { kind: 'whole' }
    ])
  ])

describe('a bundle', () => {
  testPartFiles(files, { arbitrary: bundle, code: 'BUNDLE_INVALID' })

  test.each<[string, BundlePart[]]>([
    ['records without a head', [{ kind: 'record', record: MAGIC, proof: MAGIC }]],
    ['two heads', [head(), head()]],
    ['a name and no head', [{ kind: 'name', name: 'tools' }, aRecord()]],
    ['a name behind its head', [head(), { kind: 'name', name: 'tools' }, aRecord()]],
    ['a name that means nothing', [{ kind: 'name', name: 'home' }, head(), aRecord()]],
    ['a name that no library has', [{ kind: 'name', name: '../Tools' }, head(), aRecord()]],
    ['a content before any record', [head(), { kind: 'content', content: MAGIC }, { kind: 'whole' }]],
    ['a block of no content', [head(), aRecord(), aBlock()]],
    ['a content that does not end', [head(), aRecord(), { kind: 'content', content: MAGIC }]],
    ['a record after a content', [head(), aRecord(), { kind: 'content', content: MAGIC }, aRecord()]],
    ['a head alone', [head()]],
    ['nothing', []]
  ])('with %s is refused', async (_name, parts) => {
    await expect(partsOf(await bytesOf(parts))).rejects.toEqual(refused)
  })

  test.each(Object.entries(MAX_BODY_BYTES))(
    'is not read on behind the head of too large a %s',
    async (kind, most) => {
      const frame = Buffer.alloc(5)
      frame[0] = KIND_BYTES[kind as keyof typeof KIND_BYTES]
      frame.writeUInt32BE(most + 1, 1)
      const before = kind === 'head' || kind === 'name' ? MAGIC : await withoutEnd(kind)
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.concat([before, frame])
        throw new Error('it was read on')
      }
      await expect(Array.fromAsync(readBundle(source()))).rejects.toEqual(refused)
    }
  )

  test.each<[string, number, Uint8Array]>([
    ['a record that is longer than its part', KIND_BYTES.record, Uint8Array.of(0, 0, 0, 9, 1)],
    ['a record without its length', KIND_BYTES.record, Uint8Array.of(0, 0)],
    ['a part of an unknown kind', 9, Uint8Array.of()]
  ])('with %s is refused', async (_name, kind, body) => {
    const frame = Buffer.concat([Uint8Array.of(kind, 0, 0, 0, body.byteLength), body])
    await expect(partsOf(Buffer.concat([await withoutEnd('record'), frame]))).rejects.toEqual(refused)
  })

  test('with a block that is shorter than its head is refused', async () => {
    const frame = Buffer.alloc(5 + BLOCK_HEAD_BYTES - 1)
    frame[0] = KIND_BYTES.block
    frame.writeUInt32BE(BLOCK_HEAD_BYTES - 1, 1)
    await expect(partsOf(Buffer.concat([await withoutEnd('block'), frame]))).rejects.toEqual(refused)
  })
})

function head(): BundlePart {
  return { kind: 'head', head: MAGIC }
}
function aRecord(): BundlePart {
  return { kind: 'record', record: MAGIC, proof: MAGIC }
}
function aBlock(): BundlePart {
  return { kind: 'block', id: new Uint8Array(32), codec: 0, rawLengthBytes: 1, bytes: MAGIC }
}

/** A bundle up to where a part of that kind may come. */
async function withoutEnd(kind: string): Promise<Buffer> {
  const content: BundlePart = { kind: 'content', content: MAGIC }
  const parts = [head(), aRecord(), ...(kind === 'block' || kind === 'whole' ? [content] : [])]
  const bytes = await bytesOf(parts)
  return bytes.subarray(0, bytes.byteLength - 5 - 32)
}

describe('a record of a bundle', () => {
  const [one, two] = ['one', 'two'].map(name => createReleaseRecord(small({ name }), keyOf('owner')))
  const tree = new MemoryTree()
  tree.apply([{ trieKey: trieKey(one!), recHash: recordHash(one!.bytes) }])
  const set = { root: Buffer.from(tree.root, 'hex') }
  const proof = proveRecord(tree, trieKey(one!))

  test('is taken with its proof', () => {
    expect(checkBundleRecord({ record: one!.bytes, proof }, set, NOW_MS)).toMatchObject({
      record: { id: one!.id },
      count: 1
    })
  })

  test.each([
    ['that is not in the set', { record: two!.bytes, proof: proveRecord(tree, trieKey(two!)) }, set],
    ['with the proof of another', { record: two!.bytes, proof }, set],
    ['of another set', { record: one!.bytes, proof }, { root: new Uint8Array(32) }],
    ['without a proof', { record: one!.bytes, proof: new Uint8Array() }, set]
  ])('%s is refused', (_name, part, of) => {
    expect(() => checkBundleRecord(part, of, NOW_MS)).toThrow(
      expect.objectContaining({ code: 'PROOF_INVALID' })
    )
  })

  test('that is forged, or dated ahead, is refused', () => {
    const forged = Uint8Array.from(one!.bytes)
    forged[forged.byteLength - 1]! ^= 1
    expect(() => checkBundleRecord({ record: forged, proof }, set, NOW_MS)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/SIGNATURE_INVALID|RECORD_INVALID/) })
    )
    expect(() => checkBundleRecord({ record: one!.bytes, proof }, set, NOW_MS - 3_600_000)).toThrow(
      expect.objectContaining({ code: 'RECORD_EARLY' })
    )
  })
})

test('the frozen vector of docs/sync.md', async () => {
  const { bundle, parts } = readVector('sync/bundle.json')
  await expectFrozen(files, { hex: String(bundle), parts })
})

test('the name of a library stands before its head, in bytes that do not change', async () => {
  const bytes = await bytesOf([{ kind: 'name', name: 'tools' }, head()])
  const frozen = Buffer.concat([MAGIC, Buffer.from('0700000005746f6f6c7301', 'hex')])
  expect(bytes.subarray(0, frozen.byteLength)).toEqual(frozen)
})
