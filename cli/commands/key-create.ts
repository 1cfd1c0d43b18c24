import { defineCommand } from '../framework/tree.ts'
import { newPassphrase, openKeyring, showNewKey } from './keyring.ts'

interface Options {
  default?: boolean
  /** False with --no-passphrase. */
  passphrase: boolean
}

export const run = defineCommand(async (context, [name]: [string], options: Options) => {
  const keyring = await openKeyring(context)
  const passphrase = await newPassphrase(context, options.passphrase)
  await keyring.create(name, passphrase === undefined ? {} : { passphrase })
  await showNewKey(context, keyring, name, options.default)
})
