import { exportPublicPem, formatPublicKey } from '../../trust/index.ts'
import { resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { oldPassphrase, openKeyring, variable } from './keyring.ts'
import { onDisk, writeWhole } from './whole-file.ts'

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
  const file = resolvePath(context, options.out)
  await writeWhole(file, handle => onDisk(file, () => handle.writeFile(pem)), KEY_MODE)
  context.output.result({ ...head, file }, () => file)
})
