/**
 * Copies what this node holds into another home on this machine, such as one on another disk, or one that keeps its segments in a
 * bucket, or no longer does. The node goes on meanwhile; the other home must have no daemon. What goes over is each release whose
 * content is whole here: first the content, whatever of it is not there yet, then the record and what is said of it, then its
 * pin. So nothing there ever names a content that is not, and a copy that was cut off is begun again with the same command.
 *
 * The daemon opens the other home itself, with the rights that it has: it must exist and be its user's own, like the one it
 * runs on.
 */
import {
  CatalogError,
  type Clock,
  type ErrorCode,
  type Logger,
  Semaphore,
  toCatalogError
} from '../../base/index.ts'
import type { BucketWork, ContentStore, Library, Registry, ReleaseRecord } from '../../library/index.ts'
import type { CopyResult } from '../store-schemas.ts'
import { releaseName } from './release-shapes.ts'
import type { CopyingService, WorkContext } from './types.ts'
import { allReleases } from './verification.ts'

/** Releases that one result lists as not copied; the count beside it is whole. */
const MAX_LISTED = 1000
/** What is wrong with one release, and says nothing of the others. */
const OF_ONE: ReadonlySet<ErrorCode> = new Set([
  'CONTENT_CORRUPT',
  'CONTENT_MISSING',
  'NOT_PERMITTED',
  'RELEASE_EXISTS',
  'RELEASE_NOT_FOUND'
])

export interface CopyingModules {
  registry: Registry
  content: ContentStore
  /** Opens another home, for as long as the copy takes. */
  openOther(root: string): Promise<{ home: { root: string }; library: Library }>
  clock: Clock
  logger: Logger
}

export class Copying implements CopyingService {
  readonly #modules: CopyingModules
  /** The lock of a home keeps other processes out, not this one. */
  readonly #turns = new Semaphore({ name: 'copies to another home', maxActive: 1, maxWaiting: 0 })

  constructor(modules: CopyingModules) {
    this.#modules = modules
  }

  async copy(to: string, context: WorkContext): Promise<CopyResult> {
    return await this.#turns.run(async () => {
      const { clock, logger, openOther } = this.#modules
      const startedMs = clock.monotonicMs()
      const { home, library } = await openOther(to)
      try {
        const run = new Run(this.#modules, library, context)
        await run.all()
        const tookMs = Math.round(clock.monotonicMs() - startedMs)
        const { notCopied, ...numbers } = run.total
        logger.info({ to: home.root, ...numbers, tookMs }, 'contents copied to another home')
        return { to: home.root, ok: run.total.failed === 0, ...numbers, notCopied, tookMs }
      } finally {
        await library.close()
      }
    })
  }
}

/** One copy of everything. */
class Run {
  readonly total = {
    releases: 0,
    copiedBytes: 0,
    reusedBytes: 0,
    failed: 0,
    notCopied: [] as CopyResult['notCopied']
  }
  readonly #modules: CopyingModules
  readonly #target: Library
  readonly #context: WorkContext
  /** Contents that were copied for a release before: counted once. */
  readonly #seen = new Set<string>()

  constructor(modules: CopyingModules, target: Library, context: WorkContext) {
    this.#modules = modules
    this.#target = target
    this.#context = context
  }

  async all(): Promise<void> {
    const { registry, content } = this.#modules
    const { signal } = this.#context
    for await (const record of allReleases(registry, signal)) {
      const { content: cid } = record.release
      // Of most that a node knows it has nothing, or what a fetch has brought so far, or a removal left.
      if (content.localState(cid) !== 'complete' && !content.isKept(cid)) continue
      try {
        await this.#one(record)
        this.total.releases++
      } catch (thrown) {
        const { code } = toCatalogError(thrown)
        signal.throwIfAborted()
        if (!OF_ONE.has(code)) throw thrown
        this.total.failed++
        const release = releaseName(record)
        if (this.total.notCopied.length < MAX_LISTED) this.total.notCopied.push({ release, error: code })
      }
    }
  }

  async #one(record: ReleaseRecord): Promise<void> {
    const { content, registry } = this.#modules
    // The other home would show it to everybody.
    if (!registry.isOpen(record))
      throw new CatalogError('NOT_PERMITTED', `${releaseName(record)} is in closed libraries only, or gone`)
    const { signal } = this.#context
    const { release } = record
    this.#tell(record, 0)
    const report = await content.copyTo(this.#target.content, release.content, {
      signal,
      onFlushed: async ({ copiedBytes, reusedBytes }) => {
        this.#tell(record, copiedBytes + reusedBytes)
        await sendAll(this.#target.content.bucket, signal)
      }
    })
    if (!this.#seen.has(release.content.toString())) {
      this.#seen.add(release.content.toString())
      this.total.copiedBytes += report.copiedBytes
      this.total.reusedBytes += report.reusedBytes
    }
    await this.#record(record)
    if (content.isPinned(release)) await this.#target.content.pin(release, signal)
    await sendAll(this.#target.content.bucket, signal)
  }

  /** What was published here counts as published there. */
  async #record({ id }: ReleaseRecord): Promise<void> {
    const { registry } = this.#modules
    const { signal } = this.#context
    const stored = await registry.stored(id, signal)
    if (stored === undefined)
      throw new CatalogError('RELEASE_NOT_FOUND', `the record ${id} was removed meanwhile`)
    const { registry: to } = this.#target
    if (await registry.isOwn(stored.bytes)) {
      await to.publish(stored.bytes, { signal })
      // Where it is already, and has had other words since.
      await to.revise(stored.bytes, signal)
    } else await to.add(stored.bytes, signal)
    for (const bytes of stored.statements)
      await ((await registry.isOwn(bytes))
        ? to.publishStatement(bytes, signal)
        : to.addStatement(bytes, signal))
  }

  #tell(record: ReleaseRecord, doneBytes: number): void {
    const { copiedBytes, reusedBytes } = this.total
    const bytesDone = copiedBytes + reusedBytes + doneBytes
    this.#context.progress({ phase: `copying ${releaseName(record)}`, bytesDone })
  }
}

/** A copy is faster than most buckets: without this its backlog would fill. */
async function sendAll(bucket: BucketWork | undefined, signal: AbortSignal): Promise<void> {
  while (bucket !== undefined && (await bucket.step(signal)).isMore) signal.throwIfAborted()
}
