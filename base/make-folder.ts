import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and the parents it lacks; true when it was not there. Throws the system's error (with `code` and `path`).
 *
 * Not `mkdir` with `recursive`: that goes back to the parent on every ENOENT, and so never ends where the parent exists
 * and makes no folders (`/proc`). Here every level is tried twice at most.
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  try {
    mkdirSync(path, mode)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') return refuseUnlessFolder(path, error)
    const parent = dirname(path)
    if (parent === path) throw error
    makeFolder(parent, mode)
  }
  try {
    mkdirSync(path, mode)
    return true
  } catch (error) {
    return refuseUnlessFolder(path, error)
  }
}

/** False when a folder stands there: nothing was to be done. Asked after any error, as `/` and read-only disks answer others than EEXIST. */
function refuseUnlessFolder(path: string, error: unknown): false {
  if (isFolder(path)) return false
  throw error
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
