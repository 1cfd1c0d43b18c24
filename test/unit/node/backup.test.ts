/** The state of a home goes into a file while the node works on, and a home comes of it, whole or not at all. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { KeyFamily, type Library, makeKey, withDatabase } from '../../../library/index.ts'
import { BackingUp, backUpStopped } from '../../../node/backup/backing-up.ts'
import { readLastBackup } from '../../../node/backup/last-backup.ts'
import type { BackupPart } from '../../../node/backup/parts.ts'
import { readBackup } from '../../../node/backup/read.ts'
import { restoreBackup } from '../../../node/backup/restore.ts'
import { verifyBackup } from '../../../node/backup/summary.ts'
import { writeBackup } from '../../../node/backup/write.ts'
import { CURRENT_FORMAT, readFormat, writeFormat } from '../../../node/home/format.ts'
import { openHome } from '../../../node/home/home.ts'
import { type HomeLayout, homeLayout } from '../../../node/home/layout.ts'
import { initHome } from '../../../node/init.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'

const FILE_BYTES = 300_000
const { signal } = new AbortController()
let folder: string
let home: HomeLayout
let library: Library | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-backup-'))
  home = (await initHome({ clock: systemClock }, { root: join(folder, 'home') })).home
  library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: home.root })
})
afterEach(async () => {
  await library?.close()
  library = undefined
  await rm(folder, { recursive: true, force: true })
})

const at = (name: string): string => join(folder, name)

async function put(seed: string): Promise<CID> {
  const ingest = await library!.content.beginIngest({})
  await ingest.write(await makeTar([{ name: 'file', body: pseudoRandom(seed, FILE_BYTES) }]))
  return (await ingest.finish()).content
}

async function* of(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += 5000) yield bytes.subarray(from, from + 5000)
}

async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces, piece => Uint8Array.from(piece)))
}

const backUp = (keys = true): Promise<Buffer> =>
  gathered(
    new BackingUp({ library: library!, home, clock: systemClock, logger: silentLogger }).create(keys, signal)
  )

const restore = (bytes: Uint8Array, root: string, sizeBytes = bytes.byteLength) =>
  restoreBackup(of(bytes), { root, sizeBytes })

/** Whether a home holds a content, every block hashed. */
async function isWhole(root: string, content: CID): Promise<boolean> {
  const restored = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: root })
  try {
    return restored.content.localState(content) === 'complete' && (await restored.content.verify(content)).ok
  } finally {
    await restored.close()
  }
}

describe('a backup of a node that works', () => {
  it('is of one moment, though all it holds is let go of, collected, and written over meanwhile', async () => {
    const content = await put('kept')
    const node = new BackingUp({ library: library!, home, clock: systemClock, logger: silentLogger })
    const pieces = node.create(true, signal)
    const first = Uint8Array.from((await pieces.next()).value!)
    await expect(node.create(true, signal).next()).rejects.toMatchObject({ code: 'BUSY' })
    await library!.content.remove(content)
    const { segments } = await library!.content.collect({ evictBytes: 0, dryRun: false, fetching: [] })
    expect(segments).toBeGreaterThan(0)
    await put('later')
    const bytes = Buffer.concat([first, await gathered(pieces)])
    expect((await verifyBackup(of(bytes))).state).toMatchObject({ hasKeys: true, homeFormat: CURRENT_FORMAT })
    expect((await readdir(home.segments)).filter(name => name.startsWith('held-'))).toEqual([])
    expect(readLastBackup(library!.database)).toMatchObject({ sizeBytes: bytes.byteLength })

    await restore(bytes, at('restored'))
    expect(await isWhole(at('restored'), content)).toBe(true)
    expect(await isWhole(home.root, content).catch(({ code }) => code)).not.toBe(true)
  })

  it('that is given up lets go of what it held, and counts for nothing', async () => {
    await put('one')
    const node = new BackingUp({ library: library!, home, clock: systemClock, logger: silentLogger })
    const pieces = node.create(true, signal)
    await pieces.next()
    expect((await readdir(home.segments)).some(name => name.startsWith('held-'))).toBe(true)
    await pieces.return(undefined)
    expect((await readdir(home.segments)).some(name => name.startsWith('held-'))).toBe(false)
    expect(readLastBackup(library!.database)).toBeUndefined()
  })

  it('that was killed leaves nothing behind the next start', async () => {
    await library!.close()
    await mkdir(join(home.segments, 'held-of-one-that-was-killed'))
    library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: home.root })
    expect(await readdir(home.segments)).not.toContain('held-of-one-that-was-killed')
  })
})

it('has the text of a configuration that is kept elsewhere, where the home has a link to it', async () => {
  const text = await readFile(home.config, 'utf8')
  await rename(home.config, at('kept.toml'))
  await symlink(at('kept.toml'), home.config)
  await restore(await backUp(), at('restored'))
  expect((await lstat(at('restored/config.toml'))).isFile()).toBe(true)
  expect(await readFile(at('restored/config.toml'), 'utf8')).toBe(text)
})

describe('a restore', () => {
  it('makes a home with the same keys, private, that nobody knows the last heads of', async () => {
    const content = await put('kept')
    const place = makeKey(KeyFamily.HeadPlace, new Uint8Array(32))
    await library!.database.write([{ type: 'put', key: place, value: Buffer.from('here') }], { sync: true })
    const bytes = await backUp()
    await mkdir(at('restored'), { mode: 0o755 })
    await restore(bytes, at('restored'))
    const restored = await openHome(at('restored'))
    for (const path of [restored.root, restored.keyring]) expect((await stat(path)).mode & 0o777).toBe(0o700)
    for (const name of ['node.key', 'config.toml', 'keyring/DEFAULT', 'keyring/default.key', 'FORMAT']) {
      expect(await readFile(join(restored.root, name)), name).toEqual(await readFile(join(home.root, name)))
      expect((await stat(join(restored.root, name))).mode & 0o777, name).toBe(0o600)
    }
    expect(await readdir(restored.root)).not.toContain('restoring')
    await withDatabase(restored.root, async database => {
      expect(database.get(place)).toBeUndefined()
      expect(readLastBackup(database)).toMatchObject({ sizeBytes: bytes.byteLength })
    })
    expect(await isWhole(restored.root, content)).toBe(true)
  })

  it('of a backup without keys has none, and that is what is missing', async () => {
    await restore(await backUp(false), at('restored'))
    const restored = homeLayout(at('restored'))
    expect(existsSync(restored.nodeKey)).toBe(false)
    expect(await readdir(restored.keyring)).toEqual([])
  })

  it('writes over nothing', async () => {
    const bytes = await backUp()
    const key = await readFile(home.nodeKey)
    await expect(restore(bytes, home.root)).rejects.toMatchObject({ code: 'HOME_EXISTS' })
    expect(await readFile(home.nodeKey)).toEqual(key)
    await mkdir(at('other'))
    await writeFile(at('other/mine.txt'), 'mine')
    await expect(restore(bytes, at('other'))).rejects.toMatchObject({ code: 'HOME_EXISTS' })
    expect(await readdir(at('other'))).toEqual(['mine.txt'])
  })

  it.each(['made', 'there'])('that fails leaves a folder that was %s before as it was', async before => {
    await put('one')
    const bytes = await backUp()
    const root = at('restored')
    if (before === 'there') await mkdir(root)
    const changed = Buffer.from(bytes)
    changed[changed.byteLength - 1]! ^= 1
    for (const bad of [changed, bytes.subarray(0, -100), bytes.subarray(0, 10)]) {
      await expect(restore(bad, root)).rejects.toMatchObject({ code: 'BACKUP_INVALID' })
      expect(existsSync(root) ? await readdir(root) : 'nothing').toEqual(before === 'there' ? [] : 'nothing')
    }
    await expect(restore(bytes, root, 2 ** 60)).rejects.toMatchObject({ code: 'DISK_FULL' })
    await expect(
      restoreBackup(of(bytes), { root, sizeBytes: 1, signal: AbortSignal.abort(new Error('Ctrl-C')) })
    ).rejects.toThrow('Ctrl-C')
    expect(existsSync(root) ? await readdir(root) : 'nothing').toEqual(before === 'there' ? [] : 'nothing')
  })

  it('has only the names of segments that are in a bucket', async () => {
    await put('sent')
    const { size } = await stat(join(home.segments, '0'))
    const row = Buffer.from([1, 0, 0, 0, 0])
    row.writeUInt32LE(size, 1)
    const key = makeKey(KeyFamily.BucketSegment, new Uint8Array(4))
    await library!.database.write([{ type: 'put', key, value: row }], { sync: true })
    const bytes = await backUp()
    expect(await verifyBackup(of(bytes))).toMatchObject({
      state: { segments: 0, segmentBytes: 0 },
      awaySegments: 1,
      awayBytes: size
    })
    await restore(bytes, at('restored'))
    expect(await readdir(homeLayout(at('restored')).segments)).toEqual([])
  })

  it('where nothing can be made says so', async () => {
    await expect(restore(await backUp(), '/proc/home')).rejects.toMatchObject({ code: 'HOME_PERMISSIONS' })
  })

  it('refuses a home of a newer format, and a backup of one before anything is in place', async () => {
    const parts = await Array.fromAsync(readBackup(of(await backUp())))
    const [first, ...others] = parts as [Extract<BackupPart, { kind: 'state' }>, ...BackupPart[]]
    const newer = { kind: 'state', state: { ...first.state, homeFormat: CURRENT_FORMAT + 1 } } as const
    const bytes = await gathered(writeBackup(Readable.from([newer, ...others])))
    await expect(restore(bytes, at('restored'))).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' })
    expect(existsSync(at('restored'))).toBe(false)
    await library!.close()
    library = undefined
    await writeFormat(home, CURRENT_FORMAT + 1)
    await expect(gathered(backUpStopped({ home, clock: systemClock }, true, signal))).rejects.toMatchObject({
      code: 'FORMAT_TOO_NEW'
    })
  })

  it('that was killed anywhere is no home, and is run again', async () => {
    const content = await put('one')
    const bytes = await backUp()
    await writeFile(at('file'), bytes)
    const root = at('restored')
    for (const share of [0.5, 0.999]) {
      const argv = [join(import.meta.dirname, 'restore-killed.child.ts'), at('file'), root]
      const child = spawn(process.execPath, [...argv, String(Math.floor(bytes.byteLength * share))])
      expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
      expect(await readdir(root)).toEqual(['restoring'])
      await expect(readFormat(homeLayout(root))).rejects.toMatchObject({
        code: 'HOME_MISSING',
        hint: expect.stringContaining('catalog restore')
      })
    }
    await restore(bytes, root)
    expect(await isWhole(root, content)).toBe(true)
  })

  it('that was killed while it put things in place is run again too', async () => {
    const bytes = await backUp()
    const root = at('restored')
    await mkdir(join(root, 'restoring'), { recursive: true })
    await mkdir(join(root, 'keyring'))
    await restore(bytes, root)
    expect((await openHome(root)).root).toBe(root)
  })
})

it.each(['1', '2', '3'])('a home of format %s without a daemon is backed up as it is', async format => {
  const root = at(`fixture-${format}`)
  await cp(resolve(import.meta.dirname, '../../fixtures/homes', format), root, { recursive: true })
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
  const old = homeLayout(root)
  const bytes = await gathered(backUpStopped({ home: old, clock: systemClock }, true, signal))
  expect(await readFormat(old), 'is not brought forward').toBe(Number(format))
  await restore(bytes, at('restored'))
  expect(await readFormat(homeLayout(at('restored')))).toBe(Number(format))
  const opened = await openHome(at('restored'))
  const restored = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: opened.root })
  try {
    const [record] = await restored.registry.versions('demo')
    expect(await restored.content.verify(record!.release.content)).toMatchObject({ ok: true, bad: [] })
  } finally {
    await restored.close()
  }
})
