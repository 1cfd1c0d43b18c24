/**
 * Two paths of a release may be one path on the user's disk: macOS and some mounts of Linux take `Readme` and `README`
 * for the same name, or the two ways to write `é`. Then the second file would overwrite the first, or a folder swallow
 * another. What a disk does is found out by trying it, once per install, in the staging folder.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CatalogError } from '../../base/index.ts'

export interface Folding {
  /** `a` and `A` are one name. */
  case: boolean
  /** NFC and NFD are one name. */
  normalisation: boolean
}

/** What the file system of a folder does; leaves nothing behind. */
export function probeFolding(folder: string): Folding {
  const probe = path.join(folder, 'probe-\u00e9')
  writeFileSync(probe, '')
  try {
    return {
      case: existsSync(path.join(folder, 'PROBE-\u00e9')),
      normalisation: existsSync(path.join(folder, 'probe-e\u0301'))
    }
  } finally {
    rmSync(probe)
  }
}

/** Remembers the names that were made, folder by folder, and refuses one that the disk takes for another. */
export class CollisionCheck {
  readonly #folding: Folding
  /** Folded path to the path as it was first written. */
  readonly #seen = new Map<string, string>()

  constructor(folding: Folding) {
    this.#folding = folding
  }

  /** Call for each file, link and folder, parents included. Throws PATH_REFUSED. */
  add(entryPath: string): void {
    if (!this.#folding.case && !this.#folding.normalisation) return
    const folded = this.#fold(entryPath)
    const before = this.#seen.get(folded)
    if (before === undefined) this.#seen.set(folded, entryPath)
    else if (before !== entryPath) {
      throw new CatalogError(
        'PATH_REFUSED',
        `${JSON.stringify(entryPath)} and ${JSON.stringify(before)} are one name on this disk`,
        { details: { path: entryPath }, hint: 'install on a disk that tells them apart' }
      )
    }
  }

  #fold(entryPath: string): string {
    const composed = this.#folding.normalisation ? entryPath.normalize('NFC') : entryPath
    // Upper, then lower: folds what lower-casing alone leaves apart (ß and ẞ, ſ and s).
    return this.#folding.case ? composed.toUpperCase().toLowerCase() : composed
  }
}
