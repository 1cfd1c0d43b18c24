import { readFileSync } from 'node:fs'
import { type Context, resolvePath } from '../framework/context.ts'
import { canPrompt, promptSecret } from '../framework/prompt.ts'
import { defineCommand } from '../framework/tree.ts'
import { unreadable } from './input-file.ts'
import { newPassphrase, openKeyring, showNewKey, variable } from './keyring.ts'

interface Options {
  default?: boolean
  /** False with --no-passphrase. */
  passphrase: boolean
}

const STANDARD_INPUT = 0
const ENCRYPTED_MARK = 'BEGIN ENCRYPTED PRIVATE KEY'

export const run = defineCommand(async (context, [name, file]: [string, string], options: Options) => {
  const keyring = await openKeyring(context)
  const pem = readPem(context, file)
  const pemPassphrase = await passphraseOfPem(context, pem)
  const passphrase = await newPassphrase(context, options.passphrase)
  await keyring.import(name, pem, {
    ...(pemPassphrase === undefined ? {} : { pemPassphrase }),
    ...(passphrase === undefined ? {} : { passphrase })
  })
  await showNewKey(context, keyring, name, options.default)
})

function readPem(context: Context, file: string): string {
  const source = file === '-' ? STANDARD_INPUT : resolvePath(context, file)
  try {
    return readFileSync(source, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

async function passphraseOfPem(context: Context, pem: string): Promise<string | undefined> {
  const given = variable(context, 'CATALOG_PEM_PASSPHRASE')
  if (given !== undefined || !pem.includes(ENCRYPTED_MARK)) return given
  return canPrompt(context) ? promptSecret(context, 'Passphrase of the PEM file: ') : undefined
}
