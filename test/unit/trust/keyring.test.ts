import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { createNodeKey, Keyring, loadNodeKey, SigningKey } from '../../../trust/index.ts'

/** Cheap for tests: 4 MiB, a few milliseconds. */
const scryptCost = { N: 2 ** 12, r: 8, p: 1 }
let folder: string
let keyring: Keyring

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-keyring-'))
  keyring = await Keyring.open({ clock: systemClock }, { folder, scryptCost })
})
afterEach(() => rm(folder, { recursive: true }))

const withCode = (code: string): object => expect.objectContaining({ code })

describe('keyring', () => {
  test('keys are made, listed and loaded; the first is the default', async () => {
    await expect(keyring.load()).rejects.toEqual(withCode('KEY_NOT_FOUND'))
    const main = await keyring.create('main')
    const work = await keyring.create('work', { passphrase: 'swordfish' })
    expect((await keyring.load()).publicKey).toEqual(main.publicKey)
    expect((await keyring.list()).map(key => [key.name, key.encrypted, key.isDefault])).toEqual([
      ['main', false, true],
      ['work', true, false]
    ])
    await keyring.setDefault('work')
    expect((await keyring.load(undefined, { passphrase: 'swordfish' })).publicKey).toEqual(work.publicKey)
    await expect(keyring.create('main')).rejects.toEqual(withCode('KEY_EXISTS'))
    expect((await keyring.load('main')).publicKey).toEqual(main.publicKey)
    await expect(keyring.load('none')).rejects.toEqual(withCode('KEY_NOT_FOUND'))
    await expect(keyring.setDefault('none')).rejects.toEqual(withCode('KEY_NOT_FOUND'))
    for (const bad of ['', '../x', 'A', 'a/b', 'a\0'])
      await expect(keyring.create(bad)).rejects.toEqual(withCode('INVALID_ARGUMENT'))
  })

  test('files are 0600, whole, and nothing else stays behind', async () => {
    await keyring.create('main')
    expect((await readdir(folder)).sort()).toEqual(['DEFAULT', 'main.key'])
    for (const file of await readdir(folder))
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
  })

  test('two that create one name at once: one wins, the other is told', async () => {
    const results = await Promise.allSettled([keyring.create('same'), keyring.create('same')])
    const made = results.filter(result => result.status === 'fulfilled')
    expect(made).toHaveLength(1)
    expect((await keyring.load('same')).publicKey).toEqual(made[0]!.value.publicKey)
  })

  test('a sealed key opens with its passphrase only, and its file holds no seed', async () => {
    const key = await keyring.create('work', { passphrase: 'swordfish' })
    const text = await readFile(join(folder, 'work.key'), 'utf8')
    expect(text).not.toContain(Buffer.from(key.exportSeed()).toString('base64'))
    await expect(keyring.load('work')).rejects.toEqual(withCode('KEY_LOCKED'))
    await expect(keyring.load('work', { passphrase: 'Swordfish' })).rejects.toEqual(withCode('KEY_LOCKED'))
    expect((await keyring.load('work', { passphrase: 'swordfish' })).exportSeed()).toEqual(key.exportSeed())
    await expect(keyring.create('empty', { passphrase: '' })).rejects.toEqual(withCode('INVALID_ARGUMENT'))
  })

  test('keys that others can read are refused', async () => {
    await keyring.create('main')
    await chmod(join(folder, 'main.key'), 0o640)
    await expect(keyring.load('main')).rejects.toEqual(withCode('HOME_PERMISSIONS'))
    await chmod(folder, 0o755)
    const reopened = Keyring.open({ clock: systemClock }, { folder })
    await expect(reopened).rejects.toEqual(withCode('HOME_PERMISSIONS'))
  })

  test.runIf(process.getuid?.() === 0)(
    "root adds no key to another user's, who could not read it",
    async () => {
      await keyring.create('main')
      for (const path of ['', 'main.key', 'DEFAULT']) await chown(join(folder, path), 65_534, 65_534)
      const refused = { code: 'HOME_PERMISSIONS', hint: 'run this as user 65534' }
      await expect(keyring.create('work')).rejects.toMatchObject(refused)
      await expect(keyring.setDefault('main')).rejects.toMatchObject(refused)
      expect((await readdir(folder)).sort()).toEqual(['DEFAULT', 'main.key'])
      await keyring.load('main')
    }
  )

  test('a failed write leaves nothing behind', async () => {
    await mkdir(join(folder, 'taken.key'))
    await expect(keyring.create('taken')).rejects.toEqual(withCode('KEY_EXISTS'))
    await mkdir(join(folder, 'DEFAULT'))
    await keyring.create('main')
    await expect(keyring.setDefault('main')).rejects.toMatchObject({ name: 'CatalogError' })
    expect((await readdir(folder)).sort()).toEqual(['DEFAULT', 'main.key', 'taken.key'])
    await expect(createNodeKey(join(folder, 'missing', 'node.key'))).rejects.toMatchObject({
      name: 'CatalogError'
    })
  })

  test('damaged, swapped, newer and linked key files are refused', async () => {
    await keyring.create('main')
    await keyring.create('work', { passphrase: 'swordfish' })
    const path = join(folder, 'work.key')
    const good = JSON.parse(await readFile(path, 'utf8'))
    const write = (file: object): Promise<void> => writeFile(path, JSON.stringify(file))
    const load = (): Promise<SigningKey> => keyring.load('work', { passphrase: 'swordfish' })

    const other = JSON.parse(await readFile(join(folder, 'main.key'), 'utf8'))
    await write({ ...good, publicKey: other.publicKey })
    await expect(load()).rejects.toEqual(withCode('KEY_LOCKED'))
    await write({ ...other, publicKey: good.publicKey })
    await expect(load()).rejects.toEqual(withCode('KEY_INVALID'))
    await write({ ...good, secret: { ...good.secret, scrypt: { N: 2 ** 30, r: 8, p: 1 } } })
    await expect(load()).rejects.toEqual(withCode('KEY_INVALID'))
    await write({ ...good, secret: { ...good.secret, scrypt: { N: 1000, r: 8, p: 1 } } })
    await expect(load()).rejects.toEqual(withCode('KEY_INVALID'))
    await write({ ...good, format: 'catalog-key/2' })
    await expect(load()).rejects.toEqual(withCode('UNSUPPORTED'))
    for (const text of ['', 'null', '[]', '{', '{"format":"catalog-key/1"}', 'x'.repeat(100_000)]) {
      await writeFile(path, text)
      await expect(load()).rejects.toEqual(withCode('KEY_INVALID'))
    }
    await rm(path)
    await symlink(join(folder, 'main.key'), path)
    await expect(load()).rejects.toEqual(withCode('KEY_INVALID'))
  })

  test('PEM comes in and goes out', async () => {
    const key = SigningKey.generate()
    await keyring.import('old', key.exportPem('a'), { pemPassphrase: 'a', passphrase: 'b' })
    const pem = await keyring.export('old', { passphrase: 'b' })
    expect(SigningKey.fromPem(pem).publicKey).toEqual(key.publicKey)
    await expect(keyring.import('bad', 'no pem')).rejects.toEqual(withCode('KEY_INVALID'))
    await expect(keyring.info('bad')).rejects.toEqual(withCode('KEY_NOT_FOUND'))
  })
})

describe('node key', () => {
  test('is made once, 0600, and loaded', async () => {
    const path = join(folder, 'node.key')
    await expect(loadNodeKey(path)).rejects.toEqual(withCode('KEY_NOT_FOUND'))
    const made = await createNodeKey(path)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await loadNodeKey(path)).protobuf).toEqual(made.protobuf)
    await expect(createNodeKey(path)).rejects.toEqual(withCode('KEY_EXISTS'))
    const bytes = await readFile(path)
    bytes[40]! ^= 1
    await writeFile(path, bytes)
    await expect(loadNodeKey(path)).rejects.toEqual(withCode('KEY_INVALID'))
    await writeFile(path, bytes.subarray(0, 10))
    await expect(loadNodeKey(path)).rejects.toEqual(withCode('KEY_INVALID'))
  })
})
