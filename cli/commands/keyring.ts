import path from 'node:path'
import { CatalogError, systemClock } from '../../base/index.ts'
import { homeLayout, readKnownFormat } from '../../node/index.ts'
import { formatPublicKey, type KeyInfo, Keyring, type SigningKey } from '../../trust/index.ts'
import type { Context } from '../framework/context.ts'
import { canPrompt, promptSecret } from '../framework/prompt.ts'

const KEYRING_FOLDER = 'keyring'

/** The keyring of the home. Throws HOME_MISSING, and FORMAT_TOO_NEW for a home whose keyring this program may misread. */
export async function openKeyring(context: Context): Promise<Keyring> {
  await readKnownFormat(homeLayout(context.home))
  return Keyring.open({ clock: systemClock }, { folder: path.join(context.home, KEYRING_FOLDER) })
}

/** Unlocks a key: CATALOG_PASSPHRASE, else a prompt. Throws KEY_NOT_FOUND, KEY_LOCKED. */
export async function unlockKey(
  context: Context,
  keyring: Keyring,
  name: string | undefined
): Promise<SigningKey> {
  const info = await keyring.info(name)
  if (!info.encrypted) return keyring.load(info.name)
  return keyring.load(info.name, {
    passphrase: await oldPassphrase(context, `Passphrase of the key ${info.name}: `)
  })
}

/** The passphrase that opens something; undefined when there is nobody to ask. */
export async function oldPassphrase(context: Context, question: string): Promise<string | undefined> {
  const fromEnvironment = variable(context, 'CATALOG_PASSPHRASE')
  if (fromEnvironment !== undefined) return fromEnvironment
  return canPrompt(context) ? promptSecret(context, question) : undefined
}

/** The passphrase for a new key: CATALOG_PASSPHRASE, else asked for twice; undefined leaves the key plain. */
export async function newPassphrase(context: Context, wanted: boolean): Promise<string | undefined> {
  if (!wanted) return undefined
  const fromEnvironment = variable(context, 'CATALOG_PASSPHRASE')
  if (fromEnvironment !== undefined) return fromEnvironment
  if (!canPrompt(context)) return undefined
  const first = await promptSecret(context, 'Passphrase for the new key (empty for none): ')
  if (first === '') return undefined
  const second = await promptSecret(context, 'Once more: ')
  if (first !== second) throw new CatalogError('INVALID_ARGUMENT', 'the two passphrases differ')
  return first
}

/** An environment variable; empty counts as absent. */
export function variable(context: Context, name: string): string | undefined {
  const value = context.io.env[name]
  return value === '' ? undefined : value
}

export interface KeyItem {
  name: string
  publicKey: string
  createdAt: string
  encrypted: boolean
  default: boolean
}

export function toKeyItem(info: KeyInfo): KeyItem {
  return {
    name: info.name,
    publicKey: formatPublicKey(info.publicKey),
    createdAt: info.createdAt,
    encrypted: info.encrypted,
    default: info.isDefault
  }
}

/** Ends `key create` and `key import`: makes it the default when asked to, and shows it. */
export async function showNewKey(
  context: Context,
  keyring: Keyring,
  name: string,
  makeDefault: boolean | undefined
): Promise<void> {
  if (makeDefault === true) await keyring.setDefault(name)
  const item = toKeyItem(await keyring.info(name))
  context.output.result(item, () => `${item.name}  ${item.publicKey}${item.default ? '  (default)' : ''}`)
  if (!item.encrypted)
    context.output.note('The key is not encrypted: only the permissions of its file protect it.')
}
