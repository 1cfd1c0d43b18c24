/**
 * How several folders and the lock file change together.
 *
 * A file system renames one thing at a time, so what is to be done is first written down, durably, in a journal: what
 * stands ready in staging and where it goes. Until the journal stands, nothing in the target has changed and a crash leaves the
 * old state. From then on the new state is certain: each step can be told from the disk to be done or not, and whoever comes
 * next (the same process, or the next run after a kill) finishes it. A step that *fails* in the running process is undone
 * together with those before it, and the journal is dropped.
 *
 * Files are replaced in one rename. A folder takes two (the old one away, the new one in), and is missing for some
 * microseconds between them; after a kill exactly there the next run on the target puts it in place.
 *
 * Journal, lock file and renames are on disk when a commit returns. The files of packages are left to the system's own
 * writing back, as every package manager leaves them: a sync for each of thousands costs more than the install, and after a
 * power cut `catalog install --frozen` writes them again from the store, byte for byte.
 */
import { copyFileSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { CatalogError } from '../../base/index.ts'
import { isName } from '../names.ts'
import { diskError } from './disk-error.ts'
import { exists, removeTree, syncFolder, writeDurably } from './durable.ts'
import { LOCK_FILE, readBounded } from './lock-file.ts'

/** The installer's own folder in a target. */
export const STATE_FOLDER = '.catalog'
/** What installs put into the target. */
export const INSTALLED_FILE = path.join(STATE_FOLDER, 'installed.json')

/** Version of the journal's form. */
const JOURNAL_VERSION = 1
const JOURNAL_FILE = path.join(STATE_FOLDER, 'journal.json')
/** Step INDEX finds what is new in staging/INDEX and keeps what it replaced in old/INDEX. */
const STAGING = path.join(STATE_FOLDER, 'staging')
const OLD = path.join(STATE_FOLDER, 'old')
/** The only files that a journal may replace. */
const FILES = new Set([LOCK_FILE, INSTALLED_FILE])

/**
 * One change. `target` is a package's name or one of FILES. `put`: what stands in staging goes there; with `replaces` an
 * earlier install's folder may be in its place. `take`: what stands there goes away.
 */
export type JournalStep =
  | { kind: 'file'; action: 'put'; target: string }
  | { kind: 'folder'; action: 'put'; target: string; replaces: boolean }
  | { kind: 'folder'; action: 'take'; target: string }

/** Where the new folder or file of a step is made ready. */
export function stagingOf(root: string, index: number): string {
  return path.join(root, STAGING, String(index))
}

/** Carries the steps out, all of them or none. Throws TARGET_REFUSED, TARGET_NOT_WRITABLE, DISK_FULL, DISK_IO. */
export function commitSteps(root: string, steps: JournalStep[]): void {
  try {
    removeTree(path.join(root, OLD))
    mkdirSync(path.join(root, OLD), { recursive: true })
    writeDurably(path.join(root, JOURNAL_FILE), JSON.stringify({ journalVersion: JOURNAL_VERSION, steps }))
    try {
      carryOutAll(root, steps)
    } catch (error) {
      undoAll(root, steps)
      throw error
    }
    rmSync(path.join(root, JOURNAL_FILE))
  } catch (error) {
    throw diskError(error, root)
  }
}

/** Finishes what a killed install had begun, and clears its leftovers away. Call with the target's lock held. */
export function recoverSteps(root: string): void {
  const file = path.join(root, JOURNAL_FILE)
  const text = readBounded(file)
  try {
    if (text !== undefined) {
      carryOutAll(root, parseSteps(text, file))
      rmSync(file)
    }
    rmSync(`${file}.new`, { force: true })
  } catch (error) {
    throw diskError(error, root)
  }
  removeLeftovers(root)
}

/** Removes staged and replaced folders. */
export function removeLeftovers(root: string): void {
  try {
    for (const folder of [STAGING, OLD]) removeTree(path.join(root, folder))
  } catch (error) {
    throw diskError(error, root)
  }
}

function carryOutAll(root: string, steps: JournalStep[]): void {
  refuseLinks(root, steps)
  const touched = new Set<string>()
  steps.forEach((step, index) => {
    const places = placesOf(root, step, index)
    if (step.kind === 'file') putFile(places)
    else if (step.action === 'put') putFolder(places, step.replaces)
    else takeFolder(places)
    touched.add(path.dirname(places.target))
  })
  for (const folder of touched) syncFolder(folder)
}

/**
 * A target may come from anywhere: where a scope, or a folder of ours, is a link, what is renamed and removed would lie outside
 * the target.
 */
function refuseLinks(root: string, steps: JournalStep[]): void {
  const scopes = steps.filter(({ kind }) => kind === 'folder').map(({ target }) => path.dirname(target))
  for (const folder of new Set([STATE_FOLDER, STAGING, OLD, ...scopes])) {
    const stats = lstatSync(path.join(root, folder), { throwIfNoEntry: false })
    if (stats === undefined || stats.isDirectory()) continue
    throw new CatalogError('TARGET_REFUSED', `${path.join(root, folder)} is not a folder`, {
      details: { path: path.join(root, folder) },
      hint: 'move it away, or install into another folder'
    })
  }
}

interface Places {
  target: string
  staged: string
  old: string
}

function placesOf(root: string, step: JournalStep, index: number): Places {
  return {
    target: path.join(root, step.target),
    staged: stagingOf(root, index),
    old: path.join(root, OLD, String(index))
  }
}

/** A step is done when nothing of it is left in staging. */
function putFile({ target, staged, old }: Places): void {
  if (!exists(staged)) return
  if (exists(target) && !exists(old)) copyFileSync(target, old)
  renameSync(staged, target)
}

function putFolder({ target, staged, old }: Places, replaces: boolean): void {
  mkdirSync(path.dirname(target), { recursive: true })
  if (!exists(staged)) return
  if (exists(target)) {
    if (!replaces || exists(old)) {
      throw new CatalogError('TARGET_REFUSED', `${target} appeared while it was being installed`, {
        details: { path: target },
        hint: 'move it away and run the command again'
      })
    }
    renameSync(target, old)
  }
  renameSync(staged, target)
}

/** A step is done when what it took is in old. */
function takeFolder({ target, old }: Places): void {
  if (exists(target) && !exists(old)) renameSync(target, old)
}

/** Back to the old state, in reverse. When even that fails the journal stays, and the next run finishes it forwards. */
function undoAll(root: string, steps: JournalStep[]): void {
  for (let index = steps.length - 1; index >= 0; index--)
    undo(steps[index]!, placesOf(root, steps[index]!, index))
  rmSync(path.join(root, JOURNAL_FILE))
}

function undo(step: JournalStep, { target, staged, old }: Places): void {
  const wasPut = step.action === 'put' && !exists(staged)
  if (wasPut && exists(target)) renameSync(target, staged)
  if (exists(old) && !exists(target)) renameSync(old, target)
}

function parseSteps(text: string, file: string): JournalStep[] {
  let parsed: { journalVersion?: unknown; steps?: unknown } | null
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw refused(file, 'is not JSON', cause)
  }
  if (parsed?.journalVersion !== JOURNAL_VERSION || !Array.isArray(parsed.steps))
    throw refused(file, 'was written by another version of Catalog')
  if (!parsed.steps.every(isStep)) throw refused(file, 'names something that no install puts there')
  return parsed.steps
}

/** A target may come from anywhere, so its journal is believed only as far as an install could have written it. */
function isStep(step: JournalStep | null): step is JournalStep {
  if (typeof step?.target !== 'string') return false
  if (step.kind === 'file') return FILES.has(step.target) && step.action === 'put'
  if (step.kind !== 'folder' || !isName(step.target) || FILES.has(step.target)) return false
  return step.action === 'take' || (step.action === 'put' && typeof step.replaces === 'boolean')
}

function refused(file: string, reason: string, cause?: unknown): CatalogError {
  return new CatalogError('TARGET_REFUSED', `${file} ${reason}`, {
    cause,
    details: { path: file },
    hint: 'remove the folder .catalog when no install is running, or install into another folder'
  })
}
