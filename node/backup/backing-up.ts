/** Backups of this node's home: of a daemon that runs, and of a home that none runs on. */
import { CatalogError, type Clock, type Logger } from '../../base/index.ts'
import { type HeldState, holdStoppedState, type Library, withDatabase } from '../../library/index.ts'
import { homeLockedError, isLockError } from '../home/claim.ts'
import { readKnownFormat } from '../home/format.ts'
import type { HomeLayout } from '../home/layout.ts'
import { createBackup } from './create.ts'
import { type LastBackup, putLastBackup } from './last-backup.ts'

export interface BackingUpModules {
  library: Pick<Library, 'holdState' | 'database'>
  home: HomeLayout
  clock: Pick<Clock, 'now' | 'monotonicMs'>
  logger: Logger
}

export class BackingUp {
  readonly #modules: BackingUpModules
  #isRunning = false

  constructor(modules: BackingUpModules) {
    this.#modules = modules
  }

  /**
   * The bytes of a backup of the state as it is now. Each backup holds the room of what is collected meanwhile, so there is one at a
   * time: BUSY. Counts as the last one once all its bytes were taken.
   */
  async *create(withKeys: boolean, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#isRunning) throw new CatalogError('BUSY', 'another backup of this node is being made')
    this.#isRunning = true
    const { library, home, clock, logger } = this.#modules
    const startedMs = clock.monotonicMs()
    let held: HeldState | undefined
    try {
      held = await library.holdState()
      const createdAt = new Date(clock.now()).toISOString()
      let sizeBytes = 0
      for await (const bytes of createBackup({ home, held }, { withKeys, createdAt }, signal)) {
        sizeBytes += bytes.byteLength
        yield bytes
      }
      await library.database.write([putLastBackup({ createdAt, sizeBytes })], { sync: true })
      const tookMs = Math.round(clock.monotonicMs() - startedMs)
      logger.info({ sizeBytes, withKeys, tookMs }, 'a backup was made')
    } finally {
      this.#isRunning = false
      await held?.close()
    }
  }
}

/**
 * The same of a home without a daemon, of whatever format this program knows; none can start meanwhile. HOME_MISSING, FORMAT_TOO_NEW,
 * HOME_LOCKED.
 */
export async function* backUpStopped(
  { home, clock }: Pick<BackingUpModules, 'home' | 'clock'>,
  withKeys: boolean,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  await readKnownFormat(home)
  const held = await holdStoppedState(home.root).catch(async thrown => {
    throw isLockError(thrown) ? await homeLockedError(home, thrown) : thrown
  })
  const createdAt = new Date(clock.now()).toISOString()
  let last: LastBackup | undefined
  try {
    let sizeBytes = 0
    for await (const bytes of createBackup({ home, held }, { withKeys, createdAt }, signal)) {
      sizeBytes += bytes.byteLength
      yield bytes
    }
    last = { createdAt, sizeBytes }
  } finally {
    await held.close()
  }
  await withDatabase(home.root, database => database.batch([putLastBackup(last)], { sync: true }))
}
