/**
 * The format of a home: one number in the file FORMAT. A home of an older format is brought forward by numbered
 * migrations, one number at a time; a home of a newer one is refused untouched.
 *
 * A migration from n to n + 1 may be stopped anywhere, by a signal, a crash or a power cut, and is then run again by the next
 * start: it must be written so that running it twice, or once and a half, gives the same, and one that takes long so that it
 * goes on where it stood. It works in batches of bounded size, and looks at `signal` between them. FORMAT is raised, durably,
 * only after it has returned.
 *
 * There is no copy of the old state to go back to: one that is made beside the home would be of the database alone, and no
 * longer fit the segments after the first collection. Who wants to go back restores a backup (docs/operations.md, "Upgrade").
 *
 * Migrations run while this process holds the lock on the home, and the format is read again under it: a home that a
 * daemon runs on is never changed, and of two that start at once only one migrates.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CatalogError, toCatalogError } from '../../base/index.ts'
import { withHomeLocked } from '../../library/index.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { homeLockedError, isLockError } from './claim.ts'
import { type HomeLayout, makeFolders, RESTORING_FOLDER } from './layout.ts'
import { treeMigration } from './tree-migration.ts'

/** The format this code writes. */
export const CURRENT_FORMAT = 3

export interface MigrationProgress {
  from: number
  to: number
  /** What it is doing, for people. */
  phase: string
  /** 0 to 1. */
  done: number
}

export interface Migration {
  /** Brings a home of this format to the next one. */
  readonly from: number
  /** One line for the log. */
  readonly what: string
  run(
    home: HomeLayout,
    progress: (phase: string, done: number) => void,
    signal: AbortSignal | undefined
  ): Promise<void>
}

/** Every migration since format 1, in order. */
export const MIGRATIONS: readonly Migration[] = [
  {
    from: 1,
    what: 'checksums of compressed blocks in the index',
    // To make those of what is there already, all of it would have to be read; without one a block is decoded when it is sent.
    run: async () => {}
  },
  treeMigration
]

export interface MigrateOptions {
  migrations?: readonly Migration[]
  current?: number
  onProgress?: (progress: MigrationProgress) => void
  /** Ends the migration soon after; the next one goes on where it stood. */
  signal?: AbortSignal | undefined
}

function homeMissing(root: string): CatalogError {
  const details = { home: root }
  if (existsSync(join(root, RESTORING_FOLDER)))
    return new CatalogError(
      'HOME_MISSING',
      `${root} is no Catalog home yet: a restore has not come to its end`,
      {
        hint: 'wait for it, or run the same `catalog restore` again if it was cut off',
        details
      }
    )
  return new CatalogError('HOME_MISSING', `${root} is no Catalog home: it has no FORMAT file`, { details })
}

/** FORMAT_INVALID unless the file holds one whole number from 1; HOME_MISSING when there is none. */
export async function readFormat(home: HomeLayout): Promise<number> {
  let text: string
  try {
    text = await readFile(home.format, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw homeMissing(home.root)
  }
  if (!/^[1-9][0-9]{0,5}\n?$/.test(text))
    throw new CatalogError('FORMAT_INVALID', `${home.format} does not hold a format number`)
  return Number(text)
}

export async function writeFormat(home: HomeLayout, format: number): Promise<void> {
  await writeFileAtomic(home.format, `${format}\n`, { durable: true })
}

/**
 * Brings the home to the current format and returns the format it had. FORMAT_TOO_NEW and HOME_LOCKED before anything is
 * touched; MIGRATION_FAILED (details: from, to) when a step fails, which the next start runs again; the reason of `signal`.
 */
export async function migrate(home: HomeLayout, options: MigrateOptions = {}): Promise<number> {
  const { migrations = MIGRATIONS, current = CURRENT_FORMAT, signal } = options
  if ((await readKnownFormat(home, current)) === current) return current
  return await whileLocked(home, async () => {
    const found = await readKnownFormat(home, current)
    await makeFolders(home)
    for (let from = found; from < current; from++) {
      signal?.throwIfAborted()
      await runStep(home, stepFrom(migrations, from), options)
      await writeFormat(home, from + 1)
    }
    return found
  })
}

/** FORMAT_TOO_NEW when a newer Catalog made the home, or brought it forward since it was last looked at. */
export async function readKnownFormat(home: HomeLayout, current = CURRENT_FORMAT): Promise<number> {
  const found = await readFormat(home)
  if (found <= current) return found
  throw new CatalogError(
    'FORMAT_TOO_NEW',
    `${home.root} has format ${found}, this Catalog knows ${current}`,
    { details: { found, current } }
  )
}

async function whileLocked<T>(home: HomeLayout, work: () => Promise<T>): Promise<T> {
  try {
    return await withHomeLocked(home.root, work)
  } catch (error) {
    throw isLockError(error) ? await homeLockedError(home, error) : error
  }
}

function stepFrom(migrations: readonly Migration[], from: number): Migration {
  const step = migrations.find(migration => migration.from === from)
  if (step === undefined) throw new CatalogError('INTERNAL', `no migration leads from format ${from}`)
  return step
}

async function runStep(
  home: HomeLayout,
  step: Migration,
  { onProgress, signal }: MigrateOptions
): Promise<void> {
  const { from } = step
  const to = from + 1
  const progress = (phase: string, done: number): void => onProgress?.({ from, to, phase, done })
  try {
    progress(step.what, 0)
    await step.run(home, progress, signal)
  } catch (thrown) {
    if (signal?.aborted === true) throw signal.reason
    const cause = toCatalogError(thrown)
    throw new CatalogError(
      'MIGRATION_FAILED',
      `migration ${from} to ${to} (${step.what}) failed: ${cause.message}`,
      { cause, details: { from, to, cause: cause.code } }
    )
  }
}
