/**
 * Who runs on a home. The lock itself is LevelDB's: the kernel holds it and releases it however the process ends.
 * `daemon.json` only says whose it is, so that a second daemon can name the first; a stale one is harmless.
 */
import { readFile, rm } from 'node:fs/promises'
import { CatalogError } from '../../base/index.ts'
import { writeFileAtomic } from './atomic-file.ts'
import type { HomeLayout } from './layout.ts'

export interface Claim {
  pid: number
  /** RFC 3339. */
  startedAt: string
  socket: string
  version: string
}

export async function writeClaim(home: HomeLayout, claim: Claim): Promise<void> {
  await writeFileAtomic(home.claim, `${JSON.stringify(claim)}\n`, { durable: false })
}

export async function removeClaim(home: HomeLayout): Promise<void> {
  await rm(home.claim, { force: true })
}

/** Undefined when there is none or it cannot be read: it is information, not the lock. */
export async function readClaim(home: HomeLayout): Promise<Claim | undefined> {
  try {
    const claim = JSON.parse(await readFile(home.claim, 'utf8')) as Partial<Claim>
    const { pid, startedAt, socket, version } = claim
    if (typeof pid !== 'number' || typeof startedAt !== 'string') return undefined
    return { pid, startedAt, socket: String(socket), version: String(version) }
  } catch {
    return undefined
  }
}

/** Names of LevelDB's error when another process has the database open. */
const LOCK_CODES: readonly unknown[] = ['LEVEL_LOCKED', 'HOME_LOCKED']

/** True when opening the database failed because another process holds it; looks through the causes. */
export function isLockError(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (LOCK_CODES.includes((error as NodeJS.ErrnoException).code)) return true
  return false
}

/** HOME_LOCKED with pid and since when, as far as daemon.json tells. */
export async function homeLockedError(home: HomeLayout, cause: unknown): Promise<CatalogError> {
  const claim = await readClaim(home)
  const holder = claim === undefined ? 'another process' : `process ${claim.pid} since ${claim.startedAt}`
  return new CatalogError('HOME_LOCKED', `${home.root} is in use by ${holder}`, {
    cause,
    details: { home: home.root, ...(claim === undefined ? {} : { ...claim }) }
  })
}
