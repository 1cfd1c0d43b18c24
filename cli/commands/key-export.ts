import { writeFileSync } from 'node:fs'
import { CatalogError } from '../../base/index.ts'
import { exportPublicPem, formatPublicKey } from '../../trust/index.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { oldPassphrase, openKeyring, variable } from './keyring.ts'

interface Options {
  private?: boolean
  out?: string
}

/** Only its owner may read a key. */
const KEY_MODE = 0o600

export const run = defineCommand(async (context, [name]: [string | undefined], options: Options) => {
  const keyring = await openKeyring(context)
  const info = await keyring.info(name)
  const passphrase =
    options.private === true && info.encrypted
      ? await oldPassphrase(context, `Passphrase of the key ${info.name}: `)
      : undefined
  const pemPassphrase = variable(context, 'CATALOG_PEM_PASSPHRASE')
  const pem =
    options.private === true
      ? await keyring.export(info.name, {
          ...(passphrase === undefined ? {} : { passphrase }),
          ...(pemPassphrase === undefined ? {} : { pemPassphrase })
        })
      : exportPublicPem(info.publicKey)
  const head = { name: info.name, publicKey: formatPublicKey(info.publicKey) }
  if (options.out === undefined) return context.output.result({ ...head, pem }, () => pem.trimEnd())
  const file = writeNew(context, options.out, pem)
  context.output.result({ ...head, file }, () => file)
})

/** Never writes over anything. */
function writeNew(context: Context, typed: string, text: string): string {
  const file = resolvePath(context, typed)
  try {
    writeFileSync(file, text, { mode: KEY_MODE, flag: 'wx' })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new CatalogError('KEY_EXISTS', `${file} exists already`, { hint: 'give another file', cause })
    throw new CatalogError('DISK_IO', `${file} cannot be written (${code})`, { cause })
  }
  return file
}
