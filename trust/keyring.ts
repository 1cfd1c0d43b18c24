import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CatalogError, type Clock } from '../base/index.ts'
import { ensurePrivateFolder, readPrivateFile, refuseForeignFolder, writePrivateFile } from './files.ts'
import {
  DEFAULT_SCRYPT_COST,
  decodeKeyFile,
  encodeKeyFile,
  type KeyFile,
  type KeyInfo,
  MAX_KEY_FILE_BYTES,
  openKeyFile,
  type ScryptCost
} from './key-file.ts'
import { parsePublicKey, SigningKey } from './keys.ts'

const KEY_SUFFIX = '.key'
/** Holds the name of the default key. Upper case: no key can be called so. */
const DEFAULT_FILE = 'DEFAULT'
const NAME_FORM = /^[a-z0-9][a-z0-9._-]{0,63}$/
/** A person has a handful; this bounds what `list` reads. */
const MAX_KEYS = 1000

export interface KeyringModules {
  clock: Clock
}

export interface KeyringOptions {
  /** Folder of the keys, made when missing. */
  folder: string
  /** For tests; the default is DEFAULT_SCRYPT_COST. */
  scryptCost?: ScryptCost
}

/**
 * The publisher keys of a home: a folder with one file per key (`<name>.key`, 0600) and the name of the default key.
 * It keeps no secret in memory: every call reads what it needs. The first key becomes the default one.
 */
export class Keyring {
  readonly #clock: Clock
  readonly #folder: string
  readonly #cost: ScryptCost

  private constructor(modules: KeyringModules, options: KeyringOptions) {
    this.#clock = modules.clock
    this.#folder = options.folder
    this.#cost = options.scryptCost ?? DEFAULT_SCRYPT_COST
  }

  /** Throws HOME_PERMISSIONS when others can enter the folder. */
  static async open(modules: KeyringModules, options: KeyringOptions): Promise<Keyring> {
    await ensurePrivateFolder(options.folder)
    return new Keyring(modules, options)
  }

  /** All keys by name, without unlocking any. */
  async list(): Promise<KeyInfo[]> {
    const names = (await readdir(this.#folder))
      .filter(file => file.endsWith(KEY_SUFFIX))
      .map(file => file.slice(0, -KEY_SUFFIX.length))
      .filter(name => NAME_FORM.test(name))
      .sort()
    if (names.length > MAX_KEYS) {
      throw new CatalogError('LIMIT_EXCEEDED', `the keyring holds more than ${MAX_KEYS} keys`)
    }
    const defaultName = await this.defaultName()
    const infos: KeyInfo[] = []
    for (const name of names) infos.push(infoOf(name, await this.#read(name), defaultName))
    return infos
  }

  /** What is known of one key without its passphrase. Throws KEY_NOT_FOUND. */
  async info(name?: string): Promise<KeyInfo> {
    const chosen = await this.#choose(name)
    return infoOf(chosen, await this.#read(chosen), await this.defaultName())
  }

  /** Makes a new key. Throws KEY_EXISTS. */
  async create(name: string, options: { passphrase?: string } = {}): Promise<SigningKey> {
    const key = SigningKey.generate()
    await this.add(name, key, options)
    return key
  }

  /** Stores a key under a name, durably. Throws KEY_EXISTS, and HOME_PERMISSIONS in another user's folder; never overwrites. */
  async add(name: string, key: SigningKey, options: { passphrase?: string } = {}): Promise<void> {
    checkName(name)
    const bytes = await encodeKeyFile(key, {
      createdAtMs: this.#clock.now(),
      passphrase: checkPassphrase(options.passphrase),
      cost: this.#cost
    })
    if (!(await this.#write(name + KEY_SUFFIX, bytes, false))) {
      throw new CatalogError('KEY_EXISTS', `there is already a key called ${name}`)
    }
    await this.#write(DEFAULT_FILE, Buffer.from(`${name}\n`), false)
  }

  /** Stores the key of a PKCS#8 PEM. `pemPassphrase` opens the PEM, `passphrase` seals the key here. */
  async import(
    name: string,
    pem: string,
    options: { pemPassphrase?: string; passphrase?: string } = {}
  ): Promise<SigningKey> {
    checkName(name)
    const key = SigningKey.fromPem(pem, options.pemPassphrase)
    await this.add(name, key, options.passphrase === undefined ? {} : { passphrase: options.passphrase })
    return key
  }

  /** The key as PKCS#8 PEM, encrypted when `pemPassphrase` is given. Throws as `load`. */
  async export(
    name: string | undefined,
    options: { passphrase?: string; pemPassphrase?: string } = {}
  ): Promise<string> {
    return (await this.load(name, options)).exportPem(checkPassphrase(options.pemPassphrase))
  }

  /** Unlocks a key; without a name, the default one. Throws KEY_NOT_FOUND, KEY_LOCKED, KEY_INVALID, HOME_PERMISSIONS. */
  async load(name?: string, options: { passphrase?: string } = {}): Promise<SigningKey> {
    const chosen = await this.#choose(name)
    return openKeyFile(await this.#read(chosen), options.passphrase, this.#path(chosen + KEY_SUFFIX))
  }

  /** Name of the default key; undefined in an empty keyring. */
  async defaultName(): Promise<string | undefined> {
    const bytes = await readPrivateFile(this.#path(DEFAULT_FILE), MAX_KEY_FILE_BYTES)
    if (bytes === undefined) return undefined
    const name = Buffer.from(bytes).toString('utf8').trim()
    checkName(name)
    return name
  }

  async setDefault(name: string): Promise<void> {
    checkName(name)
    await this.#read(name)
    await this.#write(DEFAULT_FILE, Buffer.from(`${name}\n`), true)
  }

  async #choose(name: string | undefined): Promise<string> {
    const chosen = name ?? (await this.defaultName())
    if (chosen === undefined) {
      throw new CatalogError('KEY_NOT_FOUND', 'the keyring is empty', {
        hint: '`catalog key create NAME` makes a key'
      })
    }
    checkName(chosen)
    return chosen
  }

  async #read(name: string): Promise<KeyFile> {
    const path = this.#path(name + KEY_SUFFIX)
    const bytes = await readPrivateFile(path, MAX_KEY_FILE_BYTES)
    if (bytes === undefined) throw new CatalogError('KEY_NOT_FOUND', `there is no key called ${name}`)
    return decodeKeyFile(bytes, path)
  }

  async #write(file: string, bytes: Uint8Array, replace: boolean): Promise<boolean> {
    await refuseForeignFolder(this.#folder)
    return writePrivateFile(this.#path(file), bytes, { replace })
  }

  #path(file: string): string {
    return join(this.#folder, file)
  }
}

function infoOf(name: string, file: KeyFile, defaultName: string | undefined): KeyInfo {
  return {
    name,
    publicKey: parsePublicKey(file.publicKey),
    createdAt: file.createdAt,
    encrypted: file.secret.encryption !== 'none',
    isDefault: name === defaultName
  }
}

function checkName(name: string): void {
  if (NAME_FORM.test(name)) return
  throw new CatalogError('INVALID_ARGUMENT', `"${name.slice(0, 80)}" is not a name for a key`, {
    hint: 'use lower-case letters, digits and . _ -, at most 64'
  })
}

/** An empty passphrase would look like protection. */
function checkPassphrase(passphrase: string | undefined): string | undefined {
  if (passphrase === '') throw new CatalogError('INVALID_ARGUMENT', 'the passphrase is empty')
  return passphrase
}
