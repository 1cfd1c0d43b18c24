/** A bundle verified with nothing but itself: one that a real library has made, whole and with every kind of part changed. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { createReleaseRecord, HOME_LIBRARY, type Library } from '../../../library/index.ts'
import { verifyBundle } from '../../../node/index.ts'
import { createBundle } from '../../../node/services/bundle-create.ts'
import { type BundlePart, LibrarySets, libraryIdOf, readBundle, writeBundle } from '../../../sync/index.ts'
import { loadNodeKey, type SigningKey } from '../../../trust/index.ts'
import { openTestLibrary } from '../../library.ts'
import { testWorkerUrl } from '../../worker-url.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'
import { keyOf, small } from '../records/examples.ts'

const { signal } = new AbortController()
let folder: string
let library: Library
let writer: SigningKey
let whole: Buffer
let parts: BundlePart[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-verify-'))
  await mkdir(join(folder, 'tmp'))
  vi.stubEnv('TMPDIR', join(folder, 'tmp'))
  await mkdir(join(folder, 'home'))
  library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: join(folder, 'home') })
  writer = (await loadNodeKey(join(folder, 'home', 'node.key'))).key
  // The second has blocks of the first, which the file carries once.
  await publish('one', ['a', 'b'])
  await publish('two', ['b', 'c'])
  whole = await made()
  parts = await Array.fromAsync(readBundle(pieces(whole)))
})
afterAll(async () => {
  await library.close()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})
afterEach(async () => {
  expect(await readdir(join(folder, 'tmp')), 'nothing is left of it').toEqual([])
})

async function publish(name: string, files: readonly string[]): Promise<void> {
  const ingest = await library.content.beginIngest({})
  await ingest.write(await makeTar(files.map(file => ({ name: file, body: pseudoRandom(file, 150_000) }))))
  const { content, sizeBytes, files: count } = await ingest.finish()
  const record = { ...small(), name, content, sizeBytes, files: count }
  await library.registry.publish(createReleaseRecord(record, keyOf('ada')).bytes)
}

async function made(...specs: string[]): Promise<Buffer> {
  const { registry, content } = library
  const sets = new LibrarySets(
    { library, clock: systemClock, log: silentLogger },
    { writer: writer.publicKey }
  )
  const request = { library: libraryIdOf(writer.publicKey, HOME_LIBRARY), name: HOME_LIBRARY, specs }
  return Buffer.concat(await Array.fromAsync(createBundle({ registry, content, sets }, request, signal)))
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const verify = (bytes: Uint8Array, clock = systemClock) =>
  verifyBundle(
    { clock, workerUrl: testWorkerUrl() },
    { source: pieces(bytes), onFolder: () => undefined },
    signal
  )

/** With parts that are others, and a checksum that fits. */
async function rewritten(change: (part: BundlePart, at: number) => BundlePart[]): Promise<Buffer> {
  const source = (async function* () {
    for (const [at, part] of parts.entries()) yield* change(part, at)
  })()
  return Buffer.concat(await Array.fromAsync(writeBundle(source)))
}

const flipped = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[copy.byteLength >> 1]! ^= 1
  return copy
}

describe('a bundle that is verified', () => {
  it('says what it holds', async () => {
    expect(await verify(whole)).toMatchObject({
      library: Buffer.from(libraryIdOf(writer.publicKey, HOME_LIBRARY)).toString('hex'),
      isWhole: true,
      isExpired: false,
      records: 2,
      contents: 2
    })
    expect(await verify(await made('two'))).toMatchObject({ isWhole: false, records: 1, contents: 1 })
  })

  it('may be of a state that is past', async () => {
    const later = { ...systemClock, now: () => Date.now() + 8 * 86_400_000 }
    expect(await verify(whole, later)).toMatchObject({ isExpired: true, contents: 2 })
  })

  it('that lacks a record is of a part', async () => {
    const first = parts.findIndex(({ kind }) => kind === 'record')
    const one = await rewritten((part, at) =>
      at === first || (part.kind !== 'record' && part.kind !== 'head') ? [] : [part]
    )
    expect(await verify(one)).toMatchObject({ isWhole: false, records: 1, contents: 0 })
  })

  it('ends when it is told to, and leaves nothing', async () => {
    const controller = new AbortController()
    const source = (async function* () {
      yield whole.subarray(0, whole.byteLength >> 1)
      controller.abort(new Error('enough'))
      yield whole.subarray(whole.byteLength >> 1)
    })()
    const verified = verifyBundle(
      { clock: systemClock, workerUrl: testWorkerUrl() },
      { source, onFolder: () => undefined },
      controller.signal
    )
    await expect(verified).rejects.toThrow('enough')
  })

  it('says where it cannot be done, and how it can', async () => {
    vi.stubEnv('TMPDIR', join(folder, 'nowhere'))
    try {
      await expect(verify(whole)).rejects.toMatchObject({
        code: 'DISK_IO',
        message: expect.stringContaining(join(folder, 'nowhere')),
        hint: expect.stringContaining('TMPDIR')
      })
    } finally {
      vi.stubEnv('TMPDIR', join(folder, 'tmp'))
    }
  })

  it('that cannot be read is not told as if the folder were at fault', async () => {
    const failure = new CatalogError('DISK_IO', 'the file cannot be read')
    const source = (async function* () {
      yield whole.subarray(0, 1000)
      throw failure
    })()
    const modules = { clock: systemClock, workerUrl: testWorkerUrl() }
    await expect(verifyBundle(modules, { source, onFolder: () => undefined }, signal)).rejects.toBe(failure)
  })

  it.each([0, 40, 100_000, 420_000])('is refused when it is cut off, %d bytes before its last', async cut => {
    await expect(verify(whole.subarray(0, Math.max(whole.byteLength - cut - 1, 0)))).rejects.toMatchObject({
      code: 'BUNDLE_INVALID'
    })
  })

  it.each<[string, (part: BundlePart) => BundlePart, string[]]>([
    [
      'a head',
      part => (part.kind === 'head' ? { ...part, head: flipped(part.head) } : part),
      ['HEAD_INVALID', 'SIGNATURE_INVALID']
    ],
    [
      'a record',
      part => (part.kind === 'record' ? { ...part, record: flipped(part.record) } : part),
      ['RECORD_INVALID', 'SIGNATURE_INVALID']
    ],
    [
      'a proof',
      part => (part.kind === 'record' ? { ...part, proof: flipped(part.proof) } : part),
      ['PROOF_INVALID']
    ],
    [
      'the name of a content',
      part => (part.kind === 'content' ? { ...part, content: flipped(part.content) } : part),
      ['BUNDLE_INVALID']
    ],
    [
      'the name of a block',
      part => (part.kind === 'block' ? { ...part, id: flipped(part.id) } : part),
      ['BUNDLE_INVALID']
    ],
    [
      'a block',
      part => (part.kind === 'block' ? { ...part, bytes: flipped(part.bytes) } : part),
      ['BUNDLE_INVALID']
    ]
  ])('is refused when %s was changed, whatever the checksum says', async (_what, change, codes) => {
    const changed = await rewritten(part => [change(part)])
    await expect(verify(changed)).rejects.toMatchObject({ code: expect.toBeOneOf(codes), exitCode: 5 })
  })

  it('is refused when the length of a block was changed, or a checksum', async () => {
    const longer = await rewritten(part =>
      part.kind === 'block' ? [{ ...part, rawLengthBytes: part.rawLengthBytes + 1 }] : [part]
    )
    await expect(verify(longer)).rejects.toMatchObject({ exitCode: 5 })
    const changed = Buffer.from(whole)
    changed[whole.byteLength - 1]! ^= 1
    await expect(verify(changed)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' })
  })

  it('is refused when one block of a content is missing, the first, the last or one between', async () => {
    const blocks = parts.flatMap(({ kind }, at) => (kind === 'block' ? [at] : []))
    expect(blocks.length).toBeGreaterThan(6)
    for (const missing of [blocks[0], blocks[blocks.length >> 1], blocks.at(-1)]) {
      const less = await rewritten((part, at) => (at === missing ? [] : [part]))
      await expect(verify(less)).rejects.toMatchObject({
        code: 'BUNDLE_INVALID',
        message: expect.stringMatching(/lacks blocks of (one|two)@/)
      })
    }
  })

  it('is refused when it is called what another library is called', async () => {
    const named = await rewritten(part =>
      part.kind === 'head' ? [{ kind: 'name', name: 'tools' }, part] : [part]
    )
    await expect(verify(named)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' })
  })
})
