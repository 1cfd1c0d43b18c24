import { CatalogError, toCatalogError } from '../../base/index.ts'

const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS'])
const NOT_OURS = new Set(['EEXIST', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EBUSY', 'EXDEV', 'ENOTEMPTY'])

/** Gives what the file system said about the install target a code; errors that have one stay as they are. */
export function diskError(thrown: unknown, folder: string): CatalogError {
  const { code, syscall } = thrown as NodeJS.ErrnoException
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (thrown instanceof CatalogError || code === undefined) return toCatalogError(thrown)
  // A folder that cannot be made though its parent is there: a file system such as /proc.
  if (NOT_WRITABLE.has(code) || (code === 'ENOENT' && syscall === 'mkdir'))
    return new CatalogError('TARGET_NOT_WRITABLE', message, { cause: thrown, details: { folder } })
  if (NOT_OURS.has(code))
    return new CatalogError('TARGET_REFUSED', message, { cause: thrown, details: { folder } })
  const named = toCatalogError(thrown)
  return named.code === 'INTERNAL'
    ? new CatalogError('DISK_IO', message, { cause: thrown, details: { folder } })
    : named
}
