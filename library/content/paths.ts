/**
 * What may stand as a path in a manifest. The same rules hold when a folder is published and when it is
 * installed: a path is data from a stranger until it has passed here.
 *
 * A path is relative, its segments are separated by `/`, none is empty, `.` or `..`, and it holds no NUL. It
 * is valid Unicode, kept byte for byte without normalisation; U+FFFD is refused because tools put it where a
 * name was not UTF-8. A backslash is an ordinary character (systemd has units named so): a platform on which
 * it separates folders must refuse such a path at install, as one that folds case must refuse two paths that
 * differ only in case.
 */
import { CatalogError } from '../../base/index.ts'

/** Linux ends paths at 4,096 bytes; a quarter is left for the folder that is installed into. */
export const MAX_PATH_BYTES = 3072
/** NAME_MAX of every file system that matters. */
export const MAX_SEGMENT_BYTES = 255
/** PATH_MAX without its final NUL: longer targets cannot exist. */
export const MAX_TARGET_BYTES = 4095

const REPLACEMENT_CHARACTER = '\uFFFD'

/** Throws PATH_REFUSED (details: path, reason) unless the path may stand in a manifest. */
export function checkEntryPath(path: string): void {
  const reason = pathFault(path)
  if (reason !== undefined) throw refused(path, reason)
}

/**
 * Throws PATH_REFUSED unless the text may be a symlink's target. Targets are data: where they lead is not
 * checked.
 */
export function checkSymlinkTarget(path: string, target: string): void {
  const reason = textFault(target, MAX_TARGET_BYTES)
  if (reason !== undefined) throw refused(path, `its symlink target ${reason}`)
}

/** Order of the UTF-8 bytes of two well-formed paths: negative, 0 or positive. */
export function comparePaths(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = byteRank(a.charCodeAt(i)) - byteRank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * UTF-16 units sort as their UTF-8 bytes do, except that surrogates (characters above U+FFFF) stand below
 * U+E000 to U+FFFF where their bytes stand above: lift them over.
 */
function byteRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

function pathFault(path: string): string | undefined {
  const fault = textFault(path, MAX_PATH_BYTES)
  if (fault !== undefined) return fault
  if (path.startsWith('/')) return 'is absolute'
  for (const segment of path.split('/')) {
    if (segment === '') return 'has an empty segment'
    if (segment === '.' || segment === '..') return `has the segment "${segment}"`
    if (segment.length > MAX_SEGMENT_BYTES / 4 && Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
      return `has a segment longer than ${MAX_SEGMENT_BYTES} bytes`
  }
  return undefined
}

function textFault(text: string, maxBytes: number): string | undefined {
  if (text.length === 0) return 'is empty'
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) return `is longer than ${maxBytes} bytes`
  if (text.includes('\0')) return 'holds a NUL'
  if (!text.isWellFormed() || text.includes(REPLACEMENT_CHARACTER)) return 'is not valid UTF-8'
  return undefined
}

function refused(path: string, reason: string): CatalogError {
  const shown = JSON.stringify(path.slice(0, 200))
  return new CatalogError('PATH_REFUSED', `the path ${shown} ${reason}`, { details: { path, reason } })
}
