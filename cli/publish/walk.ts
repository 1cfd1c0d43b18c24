/**
 * Lists what a folder holds, as the caller sees it, before anything is read: every entry with the facts that tell
 * later whether it changed. Links are entries, never followed; what is neither file, folder nor link is refused.
 * Synchronous, because the command has nothing else to do and the calls are several times faster so.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import path from 'node:path'
import { CatalogError } from '../../base/index.ts'
import { checkEntryPath, checkSymlinkTarget, comparePaths } from '../../library/index.ts'
import { type Rules, readRules } from './rules.ts'
import { sourceChanged, sourceUnreadable } from './source-errors.ts'

/** Entries of one release: their list is held in memory here, at about 300 bytes each. */
const ENTRIES_MAX = 2_000_000
/** Folders inside each other: paths are bounded in bytes, this bounds the recursion. */
const DEPTH_MAX = 512
const REPLACEMENT_CHARACTER = '\uFFFD'
/** Permission bits that a release keeps; setuid, setgid and sticky are not. */
const MODE_MASK = 0o777

/** What is compared before and after reading, to see that an entry is still the same. */
export interface Fingerprint {
  inode: bigint
  sizeBytes: bigint
  modifiedNs: bigint
  changedNs: bigint
}

export type SourceEntry =
  | { kind: 'file'; path: string; mode: number; sizeBytes: number; fingerprint: Fingerprint }
  | { kind: 'symlink'; path: string; target: string; fingerprint: Fingerprint }
  | { kind: 'directory'; path: string; mode: number }

/**
 * All entries in manifest order (bytes of their paths). Throws SOURCE_UNREADABLE, ENTRY_REFUSED, PATH_REFUSED,
 * LIMIT_EXCEEDED.
 */
export function walkFolder(root: string): SourceEntry[] {
  if (!isFolder(root))
    throw new CatalogError('SOURCE_UNREADABLE', `${root} is not a folder`, {
      hint: 'give the folder to publish'
    })
  const entries: SourceEntry[] = []
  const names = readFolder(root)
  visit({ root, rules: readRules(root, names), entries }, '', names, 0)
  return entries.sort((a, b) => comparePaths(a.path, b.path))
}

interface Walk {
  root: string
  rules: Rules
  entries: SourceEntry[]
}

function visit(walk: Walk, folder: string, names: string[], depth: number): void {
  if (depth > DEPTH_MAX)
    throw new CatalogError('LIMIT_EXCEEDED', `${folder} lies more than ${DEPTH_MAX} folders deep`)
  walk.rules.enter(folder, names)
  for (const name of names) {
    const relative = folder === '' ? name : `${folder}/${name}`
    // Node puts U+FFFD where a name is not UTF-8; such a name cannot be opened again, so it is refused here.
    if (name.includes(REPLACEMENT_CHARACTER)) {
      if (walk.rules.includes(relative, false)) checkEntryPath(relative)
      continue
    }
    const stats = lstatOrThrow(path.join(walk.root, relative))
    if (stats.isDirectory()) visitFolder(walk, relative, stats, depth)
    else if (walk.rules.includes(relative, false)) add(walk, toEntry(walk.root, relative, stats))
  }
}

function visitFolder(walk: Walk, relative: string, stats: BigIntStats, depth: number): void {
  if (walk.rules.skipsFolder(relative)) return
  const names = readFolder(path.join(walk.root, relative))
  if (names.length > 0) visit(walk, relative, names, depth + 1)
  else if (walk.rules.includes(relative, true)) {
    checkEntryPath(relative)
    add(walk, { kind: 'directory', path: relative, mode: modeOf(stats) })
  }
}

function add(walk: Walk, entry: SourceEntry): void {
  if (walk.entries.length >= ENTRIES_MAX)
    throw new CatalogError('LIMIT_EXCEEDED', `the folder holds more than ${ENTRIES_MAX} entries`)
  walk.entries.push(entry)
}

function toEntry(root: string, relative: string, stats: BigIntStats): SourceEntry {
  checkEntryPath(relative)
  const fingerprint = fingerprintOf(stats)
  if (stats.isFile())
    return { kind: 'file', path: relative, mode: modeOf(stats), sizeBytes: Number(stats.size), fingerprint }
  if (stats.isSymbolicLink()) {
    const target = readLink(path.join(root, relative))
    checkSymlinkTarget(relative, target)
    return { kind: 'symlink', path: relative, target, fingerprint }
  }
  throw new CatalogError('ENTRY_REFUSED', `${relative} is ${kindOf(stats)}, which cannot be published`, {
    details: { path: relative }
  })
}

function readLink(file: string): string {
  try {
    return readlinkSync(file)
  } catch (error) {
    throw sourceUnreadable(file, error)
  }
}

export function fingerprintOf(stats: BigIntStats): Fingerprint {
  return { inode: stats.ino, sizeBytes: stats.size, modifiedNs: stats.mtimeNs, changedNs: stats.ctimeNs }
}

/** Throws SOURCE_CHANGED when an entry is no longer what it was. */
export function checkUnchanged(entryPath: string, before: Fingerprint, after: Fingerprint): void {
  if (
    before.inode === after.inode &&
    before.sizeBytes === after.sizeBytes &&
    before.modifiedNs === after.modifiedNs &&
    before.changedNs === after.changedNs
  )
    return
  throw sourceChanged(entryPath)
}

function modeOf(stats: BigIntStats): number {
  return Number(stats.mode) & MODE_MASK
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

/** The folder that is given may be a link to one, as folders of packages often are. */
function isFolder(root: string): boolean {
  try {
    return statSync(root).isDirectory()
  } catch (cause) {
    throw sourceUnreadable(root, cause)
  }
}

function lstatOrThrow(absolute: string): BigIntStats {
  try {
    return lstatSync(absolute, { bigint: true })
  } catch (cause) {
    throw sourceUnreadable(absolute, cause)
  }
}

function readFolder(absolute: string): string[] {
  try {
    return readdirSync(absolute)
  } catch (cause) {
    throw sourceUnreadable(absolute, cause)
  }
}
