/**
 * Making a bundle: records of a library with their proofs, all of one moment, then the contents of those that are whole here. Its
 * bytes are made as fast as they are taken.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  type ContentStore,
  type CopyTarget,
  HOME_LIBRARY,
  idKey,
  type MemberRecord,
  parseSpec,
  type Receive,
  type Registry,
  type ReleaseRecord,
  readMember,
  recordHash,
  type Spec,
  specMatches,
  trieKey
} from '../../library/index.ts'
import {
  type BundlePart,
  entryCount,
  entryHash,
  findRecord,
  type Head,
  iterateEntries,
  type LibrarySets,
  MAX_BUNDLE_RECORDS,
  proveRecord,
  type ShownSet,
  writeBundle
} from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'

/** Blocks that are remembered, so that contents which share them carry them once: 20 MB. Beyond it they are carried again. */
const MAX_REMEMBERED_BLOCKS = 262_144

export interface BundleCreateModules {
  sets: Pick<LibrarySets, 'show'>
  registry: Pick<Registry, 'entries' | 'get' | 'read' | 'stored'>
  content: Pick<ContentStore, 'copyTo' | 'localState'>
}

export interface BundleRequest {
  /** Id of the library. */
  readonly library: Uint8Array
  /** Its name at its node. */
  readonly name: string
  /** Every version that one of these names; without any, everything in the library. */
  readonly specs: readonly string[]
}

type Put = (part: BundlePart) => Promise<void>

/** The bytes of a bundle. NOT_FOUND, RELEASE_NOT_FOUND, LIMIT_EXCEEDED before the first of them. */
export async function* createBundle(
  modules: BundleCreateModules,
  request: BundleRequest,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  // What is put waits until the one before was taken.
  const { readable, writable } = new TransformStream<BundlePart, BundlePart>()
  const writer = writable.getWriter()
  const writing = putAll(modules, request, part => writer.write(part), signal).then(
    () => writer.close(),
    error => writer.abort(error)
  )
  // Who takes no more has the next put fail, which ends it.
  writing.catch(() => undefined)
  yield* writeBundle(readable)
}

async function putAll(
  modules: BundleCreateModules,
  { library, name, specs }: BundleRequest,
  put: Put,
  signal: AbortSignal
): Promise<void> {
  const parsed = specs.map(parseSpec)
  const wanted = (shown: ShownSet): Records =>
    parsed.length === 0 ? allRecords(shown) : recordsOf(modules, shown, parsed, signal)
  const contents = await modules.sets.show(
    library,
    shown => putRecords(wanted(shown), { ...shown, name }, put, signal),
    signal
  )
  const target = new BundleTarget(put)
  for (const content of contents.values()) {
    if (modules.content.localState(content) !== 'complete') continue
    await put({ kind: 'content', content: content.bytes })
    await modules.content.copyTo(target, content, { signal })
    await put({ kind: 'whole' })
  }
}

type Records = AsyncIterable<MemberRecord> | Iterable<MemberRecord>

/** Returns the contents that the records name. */
async function putRecords(
  records: Records,
  { tree, head, name }: ShownSet & Pick<BundleRequest, 'name'>,
  put: Put,
  signal: AbortSignal
): Promise<Map<string, CID>> {
  const seen = new Set<string>()
  const contents = new Map<string, CID>()
  for await (const record of records) {
    signal.throwIfAborted()
    const key = trieKey(record)
    const place = Buffer.from(key).toString('base64')
    if (seen.has(place)) continue
    if (seen.size === 0) await putHead(head, name, put)
    seen.add(place)
    if (seen.size > MAX_BUNDLE_RECORDS) throw tooMany()
    await put({ kind: 'record', record: record.bytes, proof: proveRecord(tree, key) })
    if ('release' in record) contents.set(record.release.content.toString(), record.release.content)
  }
  if (seen.size === 0)
    throw new CatalogError('NOT_FOUND', 'the library has no records any more', {
      hint: '`catalog library list` shows which have'
    })
  return contents
}

async function putHead({ bytes }: Head, name: string, put: Put): Promise<void> {
  if (name !== HOME_LIBRARY) await put({ kind: 'name', name })
  await put({ kind: 'head', head: bytes })
}

function* allRecords({ reader, tree }: ShownSet): Generator<MemberRecord> {
  if ((tree.top?.count ?? 0) > MAX_BUNDLE_RECORDS) throw tooMany()
  for (const bucket of iterateEntries(tree))
    for (let at = 0; at < entryCount(bucket); at++) {
      const record = readMember(reader, entryHash(bucket, at))
      if (record === undefined)
        throw new CatalogError('CONTENT_CORRUPT', 'a record of the library is not stored')
      yield record
    }
}

/** Releases of the library that are named, each with what is said of it there. */
async function* recordsOf(
  { registry }: BundleCreateModules,
  shown: ShownSet,
  specs: readonly Spec[],
  signal: AbortSignal
): AsyncGenerator<MemberRecord> {
  for (const spec of specs) {
    let found = 0
    for await (const release of releasesOf(registry, spec, signal)) {
      if (!isMember(shown, release)) continue
      found++
      yield release
      const stored = await registry.stored(release.id, signal)
      for (const bytes of stored?.statements ?? []) {
        const statement = readMember(shown.reader, recordHash(bytes))
        if (statement !== undefined && isMember(shown, statement)) yield statement
      }
    }
    if (found === 0)
      throw new CatalogError('RELEASE_NOT_FOUND', `the library has no release of ${textOf(spec)}`)
  }
}

async function* releasesOf(
  registry: BundleCreateModules['registry'],
  spec: Spec,
  signal: AbortSignal
): AsyncGenerator<ReleaseRecord> {
  if (spec.kind === 'id') {
    const record = registry.get(spec.id)
    if (record !== undefined) yield record
    return
  }
  for await (const entry of registry.entries({ name: spec.name }, signal)) {
    if (spec.kind === 'range' && !specMatches(spec, entry.version)) continue
    const record = registry.read(entry)
    if (record !== undefined) yield record
  }
}

function isMember({ tree }: ShownSet, record: MemberRecord): boolean {
  const found = findRecord(tree, trieKey(record))
  return found !== undefined && bytesEqual(found, recordHash(record.bytes))
}

const textOf = (spec: Spec): string => {
  if (spec.kind === 'id') return spec.id.toString()
  return spec.kind === 'range' ? `${spec.name}@${spec.range}` : spec.name
}

const tooMany = (): CatalogError =>
  new CatalogError('LIMIT_EXCEEDED', `a bundle has at most ${MAX_BUNDLE_RECORDS} records`, {
    hint: 'name the packages, or bring the whole library over with `catalog sync`'
  })

/** Takes the blocks of a content as a store would, and has each carried once. */
class BundleTarget implements CopyTarget {
  readonly #put: Put
  readonly #carried = new Set<string>()

  constructor(put: Put) {
    this.#put = put
  }

  hasBlock(id: Uint8Array): boolean {
    return this.#carried.has(idKey(id))
  }

  localState(): 'none' {
    return 'none'
  }

  hold(): () => void {
    return () => undefined
  }

  beginReceive(): Receive {
    return {
      writeBlocks: async blocks => {
        for (const { id, codec, rawLengthBytes, bytes } of blocks) {
          if (this.#carried.size < MAX_REMEMBERED_BLOCKS) this.#carried.add(idKey(id))
          await this.#put({ kind: 'block', id, codec, rawLengthBytes, bytes })
        }
      },
      flush: async () => undefined,
      markComplete: async () => undefined,
      end: async () => undefined
    }
  }
}
