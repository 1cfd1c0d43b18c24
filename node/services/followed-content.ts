/** Brings the content of followed libraries that their subscriptions ask for: one release after the other, as nothing that hurries. */
import {
  backoffDelayMs,
  type Clock,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS,
  Signpost,
  toCatalogError,
  untilAborted
} from '../../base/index.ts'
import { type ContentStore, HOME_LIBRARY, type Registry, type ReleaseRecord } from '../../library/index.ts'
import { type LibrarySets, libraryIdOf } from '../../sync/index.ts'
import type { SyncResult } from '../sync-schemas.ts'
import type { Subscription } from './following.ts'
import { Ongoing } from './ongoing.ts'
import type { FetchingService } from './types.ts'
import { writerOf } from './writer-key.ts'

/** For one release; a larger one goes on where it was with the next pass. */
const FETCH_TIMEOUT_MS = 60 * MINUTE_MS
/** Failures of a pass before it is given up: the sources are away, or the store is full. */
const MAX_FAILURES = 16

/** While something is missing that nobody gives. */
const UNTIL_SOURCES: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 5 * SECOND_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}

export interface FollowedContentModules {
  fetching: FetchingService
  sets: Pick<LibrarySets, 'followedReleases'>
  content: Pick<ContentStore, 'localState'>
  registry: Pick<Registry, 'entries' | 'status'>
  clock: Clock
  logger: Logger
  /** Uniform in [0, 1). */
  random?: () => number
}

export class FollowedContent extends Ongoing {
  readonly #modules: FollowedContentModules
  /** Subscriptions that are to be gone through, and when; those that something was missing of last time later and later. */
  readonly #due = new Map<string, { subscription: Subscription; atMs: number; failures: number }>()
  /** Those whose last pass found or brought everything; nothing is missing until their libraries change. */
  readonly #whole = new Set<string>()
  readonly #changed = new Signpost()

  constructor(modules: FollowedContentModules) {
    super('fetching of followed content', modules.logger)
    this.#modules = modules
  }

  /** A library was compared; what it has of content is gone through unless it was and nothing has changed. */
  followed(subscription: Subscription, { state }: Pick<SyncResult, 'state'>): void {
    const { writer, content } = subscription
    if (content === 'none') return
    if (state === 'updated') this.#whole.delete(writer)
    if (this.#whole.has(writer)) return
    this.#due.set(writer, { subscription, atMs: 0, failures: 0 })
    this.#changed.show()
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#modules
    while (!signal.aborted) {
      const changed = this.#changed.shown()
      const [next] = [...this.#due.values()].sort((a, b) => a.atMs - b.atMs)
      const waitMs = next === undefined ? Number.POSITIVE_INFINITY : next.atMs - clock.now()
      if (next === undefined || waitMs > 0) {
        await this.#until(changed, waitMs, signal)
        continue
      }
      const { subscription } = next
      const { writer } = subscription
      this.#due.delete(writer)
      if (await this.#pass(subscription, signal)) this.#whole.add(writer)
      else if (!this.#due.has(writer)) {
        const failures = next.failures + 1
        const atMs = clock.now() + backoffDelayMs(UNTIL_SOURCES, failures, random())
        this.#due.set(writer, { subscription, atMs, failures })
      }
    }
  }

  async #until(changed: Promise<void>, waitMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const timed = Number.isFinite(waitMs)
      ? [this.#modules.clock.wait(waitMs, AbortSignal.any([over.signal, signal])).catch(() => undefined)]
      : []
    await untilAborted(Promise.race([changed, ...timed]), signal).catch(() => undefined)
    over.abort()
  }

  /** Goes through a library once; whether everything that is wanted is here now. */
  async #pass({ writer, content }: Subscription, signal: AbortSignal): Promise<boolean> {
    const { sets, logger } = this.#modules
    const library = libraryIdOf(writerOf(writer), HOME_LIBRARY)
    let failures = 0
    for (let after: Uint8Array | undefined; ; ) {
      const { releases, next } = await sets.followedReleases(library, after)
      for (const record of releases) {
        if (signal.aborted) return false
        if (!(await this.#isMissing(record, content))) continue
        if (!(await this.#fetch(record, signal)) && ++failures === MAX_FAILURES) {
          logger.info({ writer, failures }, 'the content of a followed library is left for later')
          return false
        }
      }
      if (next === undefined) return failures === 0
      after = next
    }
  }

  async #isMissing({ release }: ReleaseRecord, policy: Subscription['content']): Promise<boolean> {
    const { content, registry } = this.#modules
    if (content.localState(release.content) === 'complete') return false
    if (registry.status(release)?.status.state === 'yanked') return false
    return policy === 'all' || (await this.#isKnown(release.name))
  }

  /** Whether some version of a package is whole here. */
  async #isKnown(name: string): Promise<boolean> {
    const { content, registry } = this.#modules
    for await (const entry of registry.entries({ name }))
      if (content.localState(entry.content) === 'complete') return true
    return false
  }

  async #fetch(record: ReleaseRecord, signal: AbortSignal): Promise<boolean> {
    const { fetching, logger } = this.#modules
    const { name, version } = record.release
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
      const work = { signal: limit, progress: () => undefined }
      await fetching.fetch({ spec: record.id.toString(), priority: 'low' }, work)
      return true
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (!signal.aborted) logger.debug({ name, version, code }, 'followed content could not be fetched')
      return false
    }
  }
}
