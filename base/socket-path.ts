import { CatalogError } from './errors.ts'

/** The longest path of a Unix socket: `sun_path` of Linux is 108 bytes with its end mark; macOS allows 103, which its own error then says. */
export const SOCKET_PATH_MAX_BYTES = 107

/** SOCKET_PATH_TOO_LONG (details: path, bytes, maxBytes): the kernel would cut the path off without a word. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= SOCKET_PATH_MAX_BYTES) return
  throw new CatalogError(
    'SOCKET_PATH_TOO_LONG',
    `the socket path has ${bytes} bytes, the system allows ${SOCKET_PATH_MAX_BYTES}: ${path}`,
    { details: { path, bytes, maxBytes: SOCKET_PATH_MAX_BYTES } }
  )
}
