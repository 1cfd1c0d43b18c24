import { closeSync, fsyncSync, lstatSync, openSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

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
