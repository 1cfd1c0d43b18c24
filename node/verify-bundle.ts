/**
 * Verifies a bundle with nothing but itself: it is taken in as by a node, by a store in which nothing is, and which nobody keeps. So what is
 * wrong in the file is found here, and what leans on something outside the file is not whole. Not checked is what an import refuses for what
 * its node has: a later or a contradicting head, what is blocked, one content too many of a version, the root of the copy, and room.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CatalogError, type Clock, type ErrorCode, silentLogger, toCatalogError } from '../base/index.ts'
import { type ContentStore, openLibrary, trieKey } from '../library/index.ts'
import type { BundledRecord } from '../sync/index.ts'
import { createNodeKey } from '../trust/index.ts'
import type { BundleResult, VerifiedBundle } from './bundle-schemas.ts'
import { homeLayout } from './home/layout.ts'
import { type BundleCopying, importBundle } from './services/bundle-import.ts'
import { WORKER_URL } from './worker-url.ts'

export interface VerifyBundleModules {
  clock: Clock
  /** What the worker thread is started with; the product's own unless given. */
  workerUrl?: URL
}

/**
 * Needs as much room in the folder for temporary files as the file has bytes. What it makes there goes when it ends; `onFolder` is told of it for
 * a process that ends at once, and only one that is killed outright leaves it. Throws what an import throws, DISK_IO where that folder is missing or
 * cannot be written, and DISK_FULL.
 */
export async function verifyBundle(
  { clock, workerUrl = WORKER_URL }: VerifyBundleModules,
  { source, onFolder }: { source: AsyncIterable<Uint8Array>; onFolder: (folder: string) => void },
  signal: AbortSignal
): Promise<VerifiedBundle> {
  const parent = tmpdir()
  const folder = await mkdtemp(join(parent, 'catalog-bundle-')).catch(cause => {
    throw notUsable(parent, cause)
  })
  onFolder(folder)
  const file = new Source(source)
  try {
    // The worker signs with it, and has nothing to sign.
    await createNodeKey(homeLayout(folder).nodeKey)
    const library = await openLibrary({ log: silentLogger, clock }, { home: folder, workerUrl })
    try {
      return await verifyInto(library.content, { clock, source: file.pieces() }, signal)
    } finally {
      await library.close()
    }
  } catch (thrown) {
    const isOfDisk = DISK_CODES.has(toCatalogError(thrown).code)
    throw isOfDisk && thrown !== file.failure ? notUsable(parent, thrown) : thrown
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A file whose own failure is told from one of where it is verified. */
class Source {
  failure: unknown
  readonly #source: AsyncIterable<Uint8Array>

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#source
    } catch (thrown) {
      this.failure = thrown
      throw thrown
    }
  }
}

const DISK_CODES: ReadonlySet<ErrorCode> = new Set(['DISK_FULL', 'DISK_IO'])

function notUsable(folder: string, cause: unknown): CatalogError {
  const isFull = toCatalogError(cause).code === 'DISK_FULL'
  const why = isFull ? 'is full' : `cannot be used (${(cause as Error).message})`
  return new CatalogError(
    isFull ? 'DISK_FULL' : 'DISK_IO',
    `the folder for temporary files, ${folder}, ${why}`,
    {
      cause,
      hint: 'set TMPDIR to a folder with as much room as the file has bytes'
    }
  )
}

async function verifyInto(
  content: ContentStore,
  { clock, source }: { clock: Clock; source: AsyncIterable<Uint8Array> },
  signal: AbortSignal
): Promise<VerifiedBundle> {
  const result = await importBundle(
    {
      content,
      clock,
      // Records are checked as they come, so none need be kept.
      registry: { addAll: async records => records.map(() => 'added') },
      sets: { take: async () => 'newer' },
      copying: () => new Counting(),
      blocking: { isBlocked: () => false },
      collecting: { makeRoom: async () => ROOM },
      events: { emit: () => undefined }
    },
    source,
    signal
  )
  const { library, writer, address, head, isExpired, copy, records, contents } = result
  return { library, writer, address, head, isExpired, isWhole: copy === 'made', records, contents }
}

const ROOM = { filled: () => undefined, end: () => undefined }

/** Counts the records that differ: all of them are in the set of the head, so as many as it has are all that it has. */
class Counting implements BundleCopying {
  readonly #seen = new Set<string>()
  #records = Number.POSITIVE_INFINITY

  async take(records: readonly BundledRecord[]): Promise<void> {
    for (const { record, count } of records) {
      this.#seen.add(Buffer.from(trieKey(record)).toString('latin1'))
      this.#records = count
    }
  }

  async end(): Promise<BundleResult['copy']> {
    return this.#seen.size === this.#records ? 'made' : 'part'
  }

  async close(): Promise<void> {}
}
