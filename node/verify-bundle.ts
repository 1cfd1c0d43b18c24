/**
 * Verifies a bundle with nothing but itself: it is taken in as by a node, by a store in which nothing is, and which nobody keeps. So whatever
 * an import would refuse is refused here, and what leans on something outside the file is not whole.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, silentLogger } from '../base/index.ts'
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
 * Needs as much room in the folder for temporary files as the file has bytes; what it makes there goes, whatever happens, `onFolder` is told of
 * it for a process that ends at once. Throws what an import throws.
 */
export async function verifyBundle(
  { clock, workerUrl = WORKER_URL }: VerifyBundleModules,
  { source, onFolder }: { source: AsyncIterable<Uint8Array>; onFolder: (folder: string) => void },
  signal: AbortSignal
): Promise<VerifiedBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-bundle-'))
  onFolder(folder)
  try {
    // The worker signs with it, and has nothing to sign.
    await createNodeKey(homeLayout(folder).nodeKey)
    const library = await openLibrary({ log: silentLogger, clock }, { home: folder, workerUrl })
    try {
      return await verifyInto(library.content, { clock, source }, signal)
    } finally {
      await library.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
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
