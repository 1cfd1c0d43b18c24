import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'

const SEPARATOR = Buffer.from(path.sep)
/** What the owner needs to list a folder and to remove what is in it. */
const OWNER_ALL = 0o700

/** Puts a file in the place of the old one, whole and on disk when this returns. */
export function writeDurably(file: string, text: string): void {
  const fresh = `${file}.new`
  writeFileSync(fresh, text, { flush: true })
  renameSync(fresh, file)
  syncFolder(path.dirname(file))
}

/** Renames and removals in a folder are on disk when this returns. */
export function syncFolder(folder: string): void {
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

/** Takes away a folder that is empty; one with anything in it stays. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && code !== 'EEXIST') throw error
  }
}

/**
 * Removes whatever is there, with everything below it; nothing when it is not there. Node's own `rmSync` fails at a
 * folder that its owner may not read or change, and a package may bring one. Links are removed, not followed.
 * Names are bytes here: what a user put into a package need not be text.
 */
export function removeTree(file: string | Buffer): void {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isDirectory()) {
    unlinkSync(file)
    return
  }
  if ((stats.mode & OWNER_ALL) !== OWNER_ALL) chmodSync(file, stats.mode | OWNER_ALL)
  for (const name of readdirSync(file, { encoding: 'buffer' }))
    removeTree(Buffer.concat([Buffer.from(file), SEPARATOR, name]))
  rmdirSync(file)
}
