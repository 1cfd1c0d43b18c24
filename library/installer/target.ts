/**
 * A folder that packages are installed into.
 *
 *     DIR/left-pad/…           a package, as it was published
 *     DIR/@acme/tool/…         one with a scope
 *     DIR/catalog-lock.json    what is here, exactly: to be kept with the project that uses it
 *     DIR/.catalog/            the installer's own: what it put here, and while it works its lock, staging and journal
 *
 * Only what an install put there is ever replaced or removed: anything else of the same name is refused. Staging lies
 * inside the target, so that the renames at the end stay on one file system.
 */
import { lstatSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CatalogError, makeFolder } from '../../base/index.ts'
import { checkName, isName } from '../names.ts'
import { type Folding, probeFolding } from './collisions.ts'
import { diskError } from './disk-error.ts'
import { removeIfEmpty } from './durable.ts'
import { type ExtractedTotals, extractTar } from './extract.ts'
import {
  commitSteps,
  INSTALLED_FILE,
  type JournalStep,
  recoverSteps,
  removeLeftovers,
  STATE_FOLDER,
  stagingOf
} from './journal.ts'
import {
  formatLock,
  LOCK_FILE,
  type LockedPackage,
  type LockFile,
  readBounded,
  readLockFile
} from './lock-file.ts'
import { acquireMutex, type HeldMutex } from './mutex.ts'

const STATE_MODE = 0o700
const MUTEX_FILE = 'lock'
const HOLDER_FILE = 'holder'

export interface PackageToInstall extends LockedPackage {
  name: string
}

export interface InstalledPackage {
  name: string
  version: string
  /** CID of the record. */
  id: string
  /** Absolute. */
  path: string
}

interface StagedPackage {
  item: PackageToInstall
  /** Number of its folder in staging. */
  index: number
}

/** One install, from taking the target's lock to giving it back. */
export class InstallTarget {
  /** Absolute, without links. */
  readonly root: string
  readonly #state: string
  readonly #mutex: HeldMutex
  readonly #wasMade: boolean
  readonly #staged: StagedPackage[] = []
  #folding: Folding | undefined
  #committed = false

  private constructor(root: string, mutex: HeldMutex, wasMade: boolean) {
    this.root = root
    this.#state = path.join(root, STATE_FOLDER)
    this.#mutex = mutex
    this.#wasMade = wasMade
  }

  /**
   * Makes the folder when it is not there, takes its lock, and finishes or clears away what a killed install left.
   * Throws TARGET_BUSY, TARGET_REFUSED, TARGET_NOT_WRITABLE.
   */
  static open(folder: string): InstallTarget {
    try {
      const made = makeFolder(folder)
      const root = realpathSync(folder)
      try {
        return InstallTarget.#openAt(root, made)
      } catch (error) {
        clearAway(root, made)
        throw error
      }
    } catch (error) {
      if (lstatSync(folder, { throwIfNoEntry: false })?.isFile() === true)
        throw refused(folder, 'is not a folder')
      throw diskError(error, folder)
    }
  }

  static #openAt(root: string, wasMade: boolean): InstallTarget {
    const target = new InstallTarget(root, takeMutex(root), wasMade)
    try {
      recoverSteps(root)
    } catch (error) {
      target.#mutex.release()
      throw error
    }
    return target
  }

  /** What catalog-lock.json says; undefined without one. Throws LOCK_INVALID. */
  readLock(): LockFile | undefined {
    return readLockFile(this.root)
  }

  /**
   * Writes a package into staging and checks that it is what its record says. Nothing in the target changes.
   * Throws TARGET_REFUSED when something that no install put there stands in its place, and as extractTar.
   */
  async stage(
    item: PackageToInstall,
    tar: AsyncIterable<Uint8Array>,
    options: { onProgress?: (totals: ExtractedTotals) => void; signal?: AbortSignal } = {}
  ): Promise<void> {
    this.checkPlace(item.name)
    const index = this.#staged.length
    const folder = stagingOf(this.root, index)
    try {
      makeFolder(folder)
    } catch (error) {
      throw diskError(error, this.root)
    }
    this.#folding ??= probeFolding(folder)
    const totals = await extractTar(tar, folder, { folding: this.#folding, ...options })
    if (totals.sizeBytes !== item.sizeBytes || totals.files !== item.files) {
      throw new CatalogError(
        'CONTENT_CORRUPT',
        `${item.name}@${item.version} came with ${totals.files} files and ${totals.sizeBytes} bytes; its record says ${item.files} and ${item.sizeBytes}`
      )
    }
    this.#staged.push({ item, index })
  }

  /** Throws TARGET_REFUSED when DIR/NAME is there and no install put it there, or cannot be a package's folder. */
  checkPlace(name: string): void {
    checkName(name)
    if (name === LOCK_FILE)
      throw new CatalogError(
        'TARGET_REFUSED',
        `a package called ${name} would stand in the place of the lock file`,
        { hint: 'it cannot be installed: ask its publisher for another name' }
      )
    const scope = name.includes('/') ? path.join(this.root, path.dirname(name)) : undefined
    for (const folder of [scope, path.join(this.root, name)]) {
      if (folder === undefined) continue
      const stats = lstatSync(folder, { throwIfNoEntry: false })
      if (stats === undefined) continue
      if (!stats.isDirectory()) throw refused(folder, 'is not a folder')
      if (folder !== scope && !this.#installed().has(name))
        throw refused(folder, 'was not put there by an install')
    }
  }

  /**
   * Puts everything that was staged in its place, with the lock file, all at once. `exact` also removes what earlier
   * installs put here and this one did not bring.
   */
  commit(options: { exact: boolean }): InstalledPackage[] {
    const installed = this.#installed()
    const staged = new Set(this.#staged.map(({ item }) => item.name))
    const removed = options.exact ? [...installed].filter(name => !staged.has(name)) : []
    const lock: LockFile = options.exact ? new Map() : (this.readLock() ?? new Map())
    const steps: JournalStep[] = this.#staged.map(({ item: { name } }) => ({
      kind: 'folder',
      action: 'put',
      target: name,
      replaces: installed.has(name)
    }))
    for (const name of removed) {
      steps.push({ kind: 'folder', action: 'take', target: name })
      installed.delete(name)
    }
    for (const { item } of this.#staged) {
      const { name, ...locked } = item
      lock.set(name, locked)
      installed.add(name)
    }
    this.#stageFile(steps, LOCK_FILE, formatLock(lock))
    this.#stageFile(steps, INSTALLED_FILE, `${JSON.stringify({ installed: [...installed].sort() })}\n`)
    commitSteps(this.root, steps)
    this.#committed = true
    return this.#staged.map(({ item }) => ({
      name: item.name,
      version: item.version,
      id: item.record,
      path: path.join(this.root, item.name)
    }))
  }

  #stageFile(steps: JournalStep[], target: string, text: string): void {
    try {
      makeFolder(path.dirname(stagingOf(this.root, steps.length)))
      writeFileSync(stagingOf(this.root, steps.length), text, { flush: true })
    } catch (error) {
      throw diskError(error, this.root)
    }
    steps.push({ kind: 'file', action: 'put', target })
  }

  /**
   * Clears staging away and gives the lock back. Without a commit the target is as it was. What cannot be cleared away
   * after a commit stays for the next install: the packages stand in their places all the same.
   */
  close(): void {
    try {
      this.#removeLeftovers()
      rmSync(path.join(this.#state, HOLDER_FILE), { force: true })
    } finally {
      this.#mutex.release()
      if (!this.#committed) this.#removeEmptyFolders()
    }
  }

  #removeEmptyFolders(): void {
    try {
      removeEmptyFolders(this.root, this.#wasMade)
    } catch (error) {
      throw diskError(error, this.root)
    }
  }

  #removeLeftovers(): void {
    try {
      removeLeftovers(this.root)
    } catch (error) {
      if (!this.#committed) throw error
    }
  }

  /** Names of the packages that installs put here. */
  #installed(): Set<string> {
    const file = path.join(this.root, INSTALLED_FILE)
    const text = readBounded(file)
    if (text === undefined) return new Set()
    const names = installedNames(text)
    if (names === undefined)
      throw new CatalogError('TARGET_REFUSED', `${file} is not what an install writes`, {
        details: { path: file },
        hint: 'remove it and the packages in this folder, or install into another folder'
      })
    return names
  }
}

/** Undefined when the text is none that an install has written. */
function installedNames(text: string): Set<string> | undefined {
  try {
    const { installed } = JSON.parse(text) as { installed: unknown }
    if (Array.isArray(installed) && installed.every(name => typeof name === 'string' && isName(name)))
      return new Set(installed)
  } catch {
    // Neither JSON nor an object.
  }
  return undefined
}

function takeMutex(root: string): HeldMutex {
  const state = path.join(root, STATE_FOLDER)
  const stats = lstatSync(state, { throwIfNoEntry: false })
  if (stats !== undefined && !stats.isDirectory()) throw refused(state, 'is not a folder')
  makeFolder(state, STATE_MODE)
  const holder = path.join(state, HOLDER_FILE)
  const lock = path.join(state, MUTEX_FILE)
  if (lstatSync(lock, { throwIfNoEntry: false })?.isFile() === false) throw refused(lock, 'is not a file')
  const mutex = acquireMutex(lock)
  if (mutex === undefined) {
    const pid = lstatSync(holder, { throwIfNoEntry: false })?.isFile()
      ? readFileSync(holder, 'utf8').trim()
      : ''
    throw new CatalogError(
      'TARGET_BUSY',
      `another install${pid === '' ? '' : ` (process ${pid})`} works in ${root}`,
      {
        details: { folder: root, ...(pid === '' ? {} : { pid: Number(pid) }) }
      }
    )
  }
  try {
    if (lstatSync(holder, { throwIfNoEntry: false })?.isDirectory()) throw refused(holder, 'is a folder')
    // Made anew: a link that stands there must not be written through.
    rmSync(holder, { force: true })
    writeFileSync(holder, String(process.pid), { flag: 'wx' })
  } catch (error) {
    mutex.release()
    throw error
  }
  return mutex
}

/** What failed is told, not that its folders stay. */
function clearAway(root: string, wasMade: boolean): void {
  try {
    removeEmptyFolders(root, wasMade)
  } catch {
    // A read-only disk, or no folder.
  }
}

/** Takes away the folders that an install made for nothing; one with anything in it stays. */
function removeEmptyFolders(root: string, wasMade: boolean): void {
  removeIfEmpty(path.join(root, STATE_FOLDER))
  if (wasMade) removeIfEmpty(root)
}

function refused(folder: string, reason: string): CatalogError {
  return new CatalogError('TARGET_REFUSED', `${folder} ${reason}`, {
    details: { path: folder },
    hint: 'move it away, or install into another folder'
  })
}
