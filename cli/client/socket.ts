import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** File name of the admin socket in a home. */
const SOCKET_NAME = 'admin.sock'
/** The line of a configuration that moves the socket, in any form that TOML has for it. A comment does not match. */
const SOCKET_LINE = /^[^#\n]*\bsocket["']?[ \t]*=/m

/** Where the admin socket of a home is unless it is configured. */
export function defaultSocketOf(home: string): string {
  return path.join(home, SOCKET_NAME)
}

/**
 * Path of the admin socket of a home as its daemon reads it: `admin.socket` in the environment or config.toml. The
 * configuration is loaded only when it says something about it, which it hardly ever does: every command goes through
 * here. Throws the configuration's own errors.
 */
export async function adminSocketOf(home: string, env: NodeJS.ProcessEnv): Promise<string> {
  const file = path.join(home, 'config.toml')
  const text = textOf(file)
  const isSilent = text !== undefined && !SOCKET_LINE.test(text)
  if (isSilent && (env.CATALOG_ADMIN_SOCKET ?? '') === '') return defaultSocketOf(home)
  const { loadConfig } = await import('../../config/index.ts')
  const { socket } = loadConfig({ env, ...(text === '' ? {} : { file }) }).values.admin
  return socket === '' ? defaultSocketOf(home) : path.resolve(home, socket)
}

/** Nothing where there is no file; undefined when it cannot be read, which the configuration says better. */
function textOf(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch {
    return undefined
  }
}
