/** The key to the bucket: from a file that only this user can read, or from the environment. It is kept out of everything shown. */
import { readFile, stat } from 'node:fs/promises'
import { parse, TomlError } from 'smol-toml'
import { CatalogError, toCatalogError } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { BucketCredentials, BucketOptions } from '../library/index.ts'

/** Mode bits that let others read or change a file. */
const OTHERS = 0o077
/** Three short lines; more is another file. */
const MAX_FILE_BYTES = 16_384

/** The section `store.s3` as the library takes it. */
export async function bucketOptions(
  s3: Config['store.s3'],
  env: Readonly<Record<string, string | undefined>>
): Promise<BucketOptions> {
  const { endpoint, region, bucket, prefix, backlog, cache } = s3
  const credentials = await s3Credentials(s3.credentials, env)
  return { endpoint, region, bucket, prefix, credentials, backlogBytes: backlog, cacheBytes: cache }
}

/** `path` is `store.s3.credentials`, empty for the environment. CONFIG_BAD_VALUE or HOME_PERMISSIONS when there is no use of it. */
export async function s3Credentials(
  path: string,
  env: Readonly<Record<string, string | undefined>>
): Promise<BucketCredentials> {
  if (path !== '') return checked(await readTable(path), `the file ${path}`, FILE_NAMES)
  return checked(env, 'the environment', ENV_NAMES)
}

type Names = Readonly<Record<keyof BucketCredentials, string>>

const FILE_NAMES: Names = {
  accessKeyId: 'accessKeyId',
  secretAccessKey: 'secretAccessKey',
  sessionToken: 'sessionToken'
}
const ENV_NAMES: Names = {
  accessKeyId: 'AWS_ACCESS_KEY_ID',
  secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
  sessionToken: 'AWS_SESSION_TOKEN'
}

function checked(table: Readonly<Record<string, unknown>>, where: string, names: Names): BucketCredentials {
  const text = (name: string): string => {
    const value = table[name]
    if (typeof value === 'string' && value !== '') return value
    throw new CatalogError('CONFIG_BAD_VALUE', `${where} has no ${name}, and store.backend is s3`, {
      hint: 'set store.s3.credentials to a file of mode 0600, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the daemon starts'
    })
  }
  const sessionToken = table[names.sessionToken]
  return {
    accessKeyId: text(names.accessKeyId),
    secretAccessKey: text(names.secretAccessKey),
    ...(typeof sessionToken === 'string' && sessionToken !== '' ? { sessionToken } : {})
  }
}

async function readTable(path: string): Promise<Record<string, unknown>> {
  try {
    const { mode, size: sizeBytes } = await stat(path)
    if ((mode & OTHERS) !== 0)
      throw new CatalogError('HOME_PERMISSIONS', `${path} can be read by other users`, {
        details: { path, mode: (mode & 0o777).toString(8) },
        hint: `chmod go-rwx ${path}`
      })
    if (sizeBytes > MAX_FILE_BYTES)
      throw new CatalogError('LIMIT_EXCEEDED', `${path} has more than ${MAX_FILE_BYTES} bytes`)
    return parse(await readFile(path, 'utf8'))
  } catch (thrown) {
    // The message of the parser repeats the line, which is the secret.
    if (thrown instanceof TomlError)
      throw new CatalogError('CONFIG_BAD_VALUE', `${path} is no TOML, see its line ${thrown.line}`)
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CatalogError('CONFIG_BAD_VALUE', `there is no file ${path}, which store.s3.credentials names`)
    throw toCatalogError(thrown)
  }
}
