import { readFileSync, statSync } from 'node:fs'
import { CatalogError } from '../../base/index.ts'
import { sourceUnreadable } from './source-errors.ts'

/**
 * Text of a file that says something about the folder it stands in; undefined when the name is not a file. That is asked before it is
 * read: a device has no end, and a pipe nothing to read. Throws LIMIT_EXCEEDED, SOURCE_UNREADABLE.
 */
export function readSmallFile(file: string, maxBytes: number): string | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    if (!stats?.isFile()) return undefined
    if (stats.size > maxBytes)
      throw new CatalogError('LIMIT_EXCEEDED', `${file} is longer than ${maxBytes} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw cause instanceof CatalogError ? cause : sourceUnreadable(file, cause)
  }
}
