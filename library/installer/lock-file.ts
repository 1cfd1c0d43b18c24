import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { CatalogError, MIB } from '../../base/index.ts'
import { isName, isVersion } from '../names.ts'
import { diskError } from './disk-error.ts'

export const LOCK_FILE = 'catalog-lock.json'
/** Version of the lock file's form. */
const LOCK_VERSION = 1
/** About 400 bytes a package: ten thousands of packages. */
const LOCK_MAX_BYTES = 16 * MIB

/** One package in the lock: enough to install exactly the same bytes again, from anyone who has them. */
export interface LockedPackage {
  version: string
  /** Owner's public key. */
  publisher: string
  /** CID of the record; names everything the publisher signed. */
  record: string
  /** CID of the manifest. */
  content: string
  sizeBytes: number
  files: number
  /** As the record states them; not resolved yet. */
  dependencies?: Record<string, string>
}

/** What a target holds, by package name. */
export type LockFile = Map<string, LockedPackage>

/** Reads DIR/catalog-lock.json; undefined when there is none. Throws LOCK_INVALID. */
export function readLockFile(folder: string): LockFile | undefined {
  const file = path.join(folder, LOCK_FILE)
  const text = readBounded(file)
  return text === undefined ? undefined : parseLock(text, file)
}

/** The lock as text: sorted, without dates, so that equal locks are equal bytes. */
export function formatLock(lock: LockFile): string {
  const packages: Record<string, LockedPackage> = {}
  for (const name of [...lock.keys()].sort()) packages[name] = lock.get(name)!
  return `${JSON.stringify({ lockVersion: LOCK_VERSION, packages }, null, 2)}\n`
}

/** Text of a bounded file; undefined when it is not there. What it is, is asked before it is read: a device has no end. */
export function readBounded(file: string): string | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    if (!stats.isFile()) throw invalid(file, 'is not a file')
    if (stats.size > LOCK_MAX_BYTES) throw invalid(file, `is longer than ${LOCK_MAX_BYTES} bytes`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw diskError(error, path.dirname(file))
  }
}

function parseLock(text: string, file: string): LockFile {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw invalid(file, 'is not JSON', cause)
  }
  const { lockVersion, packages } = (parsed ?? {}) as { lockVersion?: unknown; packages?: unknown }
  if (lockVersion !== LOCK_VERSION)
    throw invalid(file, `has version ${JSON.stringify(lockVersion)}, not ${LOCK_VERSION}`)
  if (!isPlainObject(packages)) throw invalid(file, 'has no packages')
  const lock: LockFile = new Map()
  for (const [name, entry] of Object.entries(packages)) {
    if (!isName(name))
      throw invalid(file, `names ${JSON.stringify(name.slice(0, 80))}, which is no package name`)
    lock.set(name, toLocked(entry, name, file))
  }
  return lock
}

function toLocked(entry: unknown, name: string, file: string): LockedPackage {
  const wrong = (field: string): CatalogError => invalid(file, `has no usable ${field} for ${name}`)
  if (!isPlainObject(entry)) throw wrong('entry')
  const { version, publisher, record, content, sizeBytes, files, dependencies } = entry
  if (typeof version !== 'string' || !isVersion(version)) throw wrong('version')
  if (typeof publisher !== 'string' || publisher === '') throw wrong('publisher')
  if (typeof record !== 'string' || record === '') throw wrong('record')
  if (typeof content !== 'string' || content === '') throw wrong('content')
  if (!isCount(sizeBytes)) throw wrong('sizeBytes')
  if (!isCount(files)) throw wrong('files')
  const locked: LockedPackage = { version, publisher, record, content, sizeBytes, files }
  if (dependencies === undefined) return locked
  if (!isPlainObject(dependencies) || !Object.values(dependencies).every(range => typeof range === 'string'))
    throw wrong('dependencies')
  return { ...locked, dependencies: dependencies as Record<string, string> }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function invalid(file: string, reason: string, cause?: unknown): CatalogError {
  return new CatalogError('LOCK_INVALID', `${file} ${reason}`, {
    cause,
    details: { file },
    hint: 'restore it, or remove it and install each package by its name, without --frozen'
  })
}
