/**
 * How several folders and the lock file change together.
 *
 * A file system renames one thing at a time, so what is to be done is first written down, durably, in a journal: which
 * staged folder goes where, what the lock says afterwards. Until the journal stands, nothing in the target has changed
 * and a crash leaves the old state. From then on the new state is certain: each step can be told from the disk to be done or
 * not, and whoever comes next (the same process, or the next run after a kill) finishes it. A step that *fails* in the running
 * process is undone together with those before it, and the journal is dropped.
 *
 * Between the two renames of a step (old folder away, new folder in) a package is missing for some microseconds; after a
 * kill exactly there the next run on the target puts it in place.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import { CatalogError } from '../../base/index.ts'
import { isName } from '../names.ts'
import { diskError } from './disk-error.ts'
import { readBounded } from './lock-file.ts'

/** Version of the journal's form. */
const JOURNAL_VERSION = 1
const JOURNAL_NAME = 'journal.json'
/** Steps keep their folders in the state folder under their number. */
const STAGING = 'staging'
const OLD = 'old'

/** One package: its new folder stands in staging/INDEX, the one it replaces goes to old/INDEX. */
export interface JournalStep {
  name: string
  /** False takes the package away. */
  install: boolean
}

export interface Journal {
  steps: JournalStep[]
  /** Files of the target with their new text, by path relative to it; written after the folders. */
  files: Record<string, string>
}

/** The folders of a target: packages in `root`, everything else in `state`. */
export interface TargetPaths {
  root: string
  state: string
}

export const stagingOf = (paths: TargetPaths, index: number): string =>
  path.join(paths.state, STAGING, String(index))
const oldOf = (paths: TargetPaths, index: number): string => path.join(paths.state, OLD, String(index))
const packageOf = (paths: TargetPaths, name: string): string => path.join(paths.root, name)
const journalOf = (paths: TargetPaths): string => path.join(paths.state, JOURNAL_NAME)

/** Carries the journal out, all of it or nothing. */
export function commitJournal(paths: TargetPaths, journal: Journal): void {
  mkdirSync(path.join(paths.state, OLD), { recursive: true })
  const text = JSON.stringify({ journalVersion: JOURNAL_VERSION, ...journal })
  try {
    writeDurably(journalOf(paths), text)
    journal.steps.forEach((step, index) => {
      carryOut(paths, step, index)
    })
    finishJournal(paths, journal)
  } catch (error) {
    undo(paths, journal)
    throw diskError(error, paths.root)
  }
}

/** Finishes what a killed install had begun, then removes its leftovers. Call with the target's lock held. */
export function recoverJournal(paths: TargetPaths): void {
  const text = readBounded(journalOf(paths))
  if (text !== undefined) {
    const journal = parseJournal(text, journalOf(paths))
    try {
      journal.steps.forEach((step, index) => {
        carryOut(paths, step, index)
      })
      finishJournal(paths, journal)
    } catch (error) {
      throw diskError(error, paths.root)
    }
  }
  removeLeftovers(paths)
}

/** Removes staged and replaced folders. */
export function removeLeftovers(paths: TargetPaths): void {
  try {
    for (const folder of [STAGING, OLD])
      rmSync(path.join(paths.state, folder), { recursive: true, force: true })
  } catch (error) {
    throw diskError(error, paths.root)
  }
}

/** One package. Done already when its staged folder, or the folder to take away, is gone. */
function carryOut(paths: TargetPaths, step: JournalStep, index: number): void {
  const target = packageOf(paths, step.name)
  if (step.install && !exists(stagingOf(paths, index))) return
  if (exists(target)) {
    if (exists(oldOf(paths, index)))
      throw new CatalogError('TARGET_REFUSED', `${target} appeared while it was being installed`)
    renameSync(target, oldOf(paths, index))
  }
  if (!step.install) return
  mkdirSync(path.dirname(target), { recursive: true })
  renameSync(stagingOf(paths, index), target)
}

function finishJournal(paths: TargetPaths, journal: Journal): void {
  for (const [file, text] of Object.entries(journal.files)) writeDurably(path.join(paths.root, file), text)
  for (const folder of new Set(journal.steps.map(({ name }) => path.dirname(packageOf(paths, name)))))
    syncFolder(folder)
  rmSync(journalOf(paths))
  syncFolder(paths.state)
}

/** Back to the old state, in reverse. What cannot be undone stays in the journal, for the next run to finish forwards. */
function undo(paths: TargetPaths, journal: Journal): void {
  if (!exists(journalOf(paths))) return
  for (let index = journal.steps.length - 1; index >= 0; index--) {
    const { name, install } = journal.steps[index]!
    const target = packageOf(paths, name)
    const wasPlaced = install && !exists(stagingOf(paths, index)) && exists(target)
    if (wasPlaced) renameSync(target, stagingOf(paths, index))
    if (exists(oldOf(paths, index))) renameSync(oldOf(paths, index), target)
  }
  rmSync(journalOf(paths))
}

/** A new file in the place of the old one, on disk when this returns. */
export function writeDurably(file: string, text: string): void {
  const fresh = `${file}.new`
  writeFileSync(fresh, text, { flush: true })
  renameSync(fresh, file)
  syncFolder(path.dirname(file))
}

function syncFolder(folder: string): void {
  if (!exists(folder)) return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Something of that name is there, a dangling link included. */
export function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined
}

function parseJournal(text: string, file: string): Journal {
  const parsed = JSON.parse(text) as Partial<Journal> & { journalVersion?: unknown }
  const { journalVersion, steps, files } = parsed
  if (
    journalVersion !== JOURNAL_VERSION ||
    !Array.isArray(steps) ||
    typeof files !== 'object' ||
    files === null
  )
    throw new CatalogError('UNSUPPORTED', `${file} was written by another version of Catalog`)
  if (!steps.every(step => typeof step?.name === 'string' && isName(step.name)))
    throw new CatalogError('TARGET_REFUSED', `${file} names something that is no package`)
  return { steps, files }
}
