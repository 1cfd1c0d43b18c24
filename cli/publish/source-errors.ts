/** What is wrong with an entry of the folder that is published. */
import { CatalogError } from '../../base/index.ts'

export function sourceChanged(entryPath: string): CatalogError {
  return new CatalogError('SOURCE_CHANGED', `${entryPath} changed while it was being published`, {
    details: { path: entryPath }
  })
}

export function sourceUnreadable(shown: string, cause: unknown): CatalogError {
  const { code } = cause as NodeJS.ErrnoException
  return new CatalogError('SOURCE_UNREADABLE', `${shown} cannot be read (${code ?? String(cause)})`, {
    cause,
    details: { path: shown }
  })
}
