import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFileAtomic } from '../../../node/home/atomic-file.ts'
import { homeLockedError, isLockError, readClaim, removeClaim, writeClaim } from '../../../node/home/claim.ts'
import {
  CURRENT_FORMAT,
  type Migration,
  type MigrationProgress,
  migrate,
  readFormat,
  writeFormat
} from '../../../node/home/format.ts'
import { createHome, openHome } from '../../../node/home/home.ts'
import { checkPermissions, type HomeLayout, homeLayout } from '../../../node/home/layout.ts'

let folder: string
let root: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-home-'))
  root = join(folder, 'home')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const options = {
  configText: '# nothing set\n',
  makeKeys: (home: HomeLayout) => writeFile(home.nodeKey, 'key', { mode: 0o600 })
}

const claim = {
  pid: 4711,
  startedAt: '2026-01-02T03:04:05.000Z',
  socket: '/x/admin.sock',
  version: '0.1.0'
}

/** A process that has a database open, as a daemon has, until it is killed. */
const HOLD_DATABASE = `
  import { ClassicLevel } from 'classic-level'
  await new ClassicLevel(process.argv[1]).open()
  process.stdout.write('open')
  process.stdin.resume()
`

describe('making and opening a home', () => {
  it('makes folders and files that nobody else can read', async () => {
    const home = await createHome(root, options)
    for (const path of [home.root, home.keyring, home.database, home.peers, home.segments, home.logs])
      expect((await stat(path)).mode & 0o777).toBe(0o700)
    for (const path of [home.config, home.format]) expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFormat(home)).toBe(CURRENT_FORMAT)
    await openHome(root)
  })

  it('makes an empty folder that was open to others its own, so that the daemon takes it', async () => {
    await mkdir(root, { mode: 0o755 })
    await chmod(root, 0o755)
    await createHome(root, options)
    expect((await stat(root)).mode & 0o777).toBe(0o700)
    await openHome(root)
  })

  it.runIf(process.platform === 'linux')('ends where no folders can be made', async () => {
    await expect(createHome('/proc/catalog', options)).rejects.toMatchObject({
      code: 'HOME_PERMISSIONS',
      message: expect.stringContaining('/proc/catalog')
    })
  })

  it('never overwrites a home, nor moves into a folder of something else', async () => {
    await createHome(root, options)
    await expect(createHome(root, options)).rejects.toMatchObject({ code: 'HOME_EXISTS' })
    const other = join(folder, 'photos')
    await mkdir(other)
    await writeFile(join(other, 'cat.jpg'), '')
    await expect(createHome(other, options)).rejects.toMatchObject({ code: 'HOME_EXISTS' })
    expect(await readdir(other)).toEqual(['cat.jpg'])
  })

  it('takes the folder away again that it made when it cannot be made, and no other', async () => {
    const failing = { ...options, makeKeys: () => Promise.reject(new Error('full')) }
    await expect(createHome(root, failing)).rejects.toThrow('full')
    expect(await readdir(folder)).toEqual([])
    await mkdir(root)
    await expect(createHome(root, failing)).rejects.toThrow('full')
    await writeFile(join(root, 'node.key'), 'of an earlier one')
    await expect(createHome(root, failing)).rejects.toThrow('full')
    expect(await readdir(root)).toContain('node.key')
    const taken = join(folder, 'taken')
    await mkdir(taken)
    await expect(writeFileAtomic(taken, 'text', { durable: false })).rejects.toThrow()
    expect((await readdir(folder)).sort()).toEqual(['home', 'taken'])
  })

  it('is no home until it is whole, and can then be made again', async () => {
    const makeKeys = async (): Promise<void> => {
      throw new Error('the power went')
    }
    await expect(createHome(root, { ...options, makeKeys })).rejects.toThrow('the power went')
    await expect(openHome(root)).rejects.toMatchObject({ code: 'HOME_MISSING' })
    await createHome(root, options)
    await openHome(root)
  })

  it('names what is missing, unreadable or readable by others', async () => {
    await expect(openHome(root)).rejects.toMatchObject({ code: 'HOME_MISSING' })
    const home = await createHome(root, options)
    await chmod(home.nodeKey, 0o640)
    await expect(openHome(root)).rejects.toMatchObject({
      code: 'HOME_PERMISSIONS',
      details: { path: home.nodeKey, mode: '640' }
    })
    await chmod(home.nodeKey, 0o600)
    await chmod(home.root, 0o755)
    await expect(openHome(root)).rejects.toMatchObject({ code: 'HOME_PERMISSIONS' })
  })

  it("is left alone by another user's daemon, root's too, which would make files that the owner cannot read", async () => {
    const home = await createHome(root, options)
    const owner = process.getuid!()
    await checkPermissions(home, owner)
    await expect(checkPermissions(home, owner + 1)).rejects.toMatchObject({
      code: 'HOME_PERMISSIONS',
      message: `${home.nodeKey} belongs to user ${owner}, and this is user ${owner + 1}`,
      details: { path: home.nodeKey, owner },
      hint: `run this as user ${owner}`
    })
  })
})

describe('the format of a home', () => {
  const homeOfFormat1 = async (): Promise<HomeLayout> => {
    const home = await createHome(root, options)
    await writeFormat(home, 1)
    return home
  }

  it('refuses a newer home and touches nothing', async () => {
    const home = await createHome(root, options)
    await writeFormat(home, 7)
    await rm(home.segments, { recursive: true })
    const before = await readdir(home.root)
    await expect(openHome(root)).rejects.toMatchObject({
      code: 'FORMAT_TOO_NEW',
      details: { found: 7, current: CURRENT_FORMAT }
    })
    expect(await readdir(home.root)).toEqual(before)
    expect(await readFile(home.format, 'utf8')).toBe('7\n')
  })

  it.each(['', '0\n', '-1', '1.5', 'one', '1\n2\n', '99999999999'])('refuses a FORMAT of %j', async text => {
    const home = await createHome(root, options)
    await writeFile(home.format, text)
    await expect(openHome(root)).rejects.toMatchObject({ code: 'FORMAT_INVALID' })
  })

  it('runs each migration once, in order, with its progress', async () => {
    const home = await homeOfFormat1()
    const ran: number[] = []
    const progress: MigrationProgress[] = []
    const migrations = [step(2, ran), step(1, ran), step(3, ran)]
    expect(await migrate(home, { migrations, current: 4, onProgress: at => progress.push(at) })).toBe(1)
    expect(ran).toEqual([1, 2, 3])
    expect(progress.slice(0, 2)).toEqual([
      { from: 1, to: 2, phase: 'step 1', done: 0 },
      { from: 1, to: 2, phase: 'half', done: 0.5 }
    ])
    expect(await readFormat(home)).toBe(4)
    await migrate(home, { migrations, current: 4 })
    expect(ran).toEqual([1, 2, 3])
  })

  it('never migrates a home that a daemon of another process runs on', async () => {
    const home = await homeOfFormat1()
    await writeClaim(home, claim)
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLD_DATABASE, home.database], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    try {
      await once(holder.stdout, 'data')
      const ran: number[] = []
      await expect(migrate(home, { migrations: [step(1, ran)], current: 2 })).rejects.toMatchObject({
        code: 'HOME_LOCKED',
        details: { pid: claim.pid }
      })
      expect(ran).toEqual([])
      expect(await readFormat(home)).toBe(1)
    } finally {
      holder.kill()
      await once(holder, 'exit')
    }
  })

  it('goes on where a crash in the middle left it', async () => {
    const home = await homeOfFormat1()
    const ran: number[] = []
    let crashes = 1
    const crashing: Migration = {
      from: 2,
      what: 'crashes once',
      async run(at) {
        await writeFile(join(at.root, 'half-done'), '')
        if (crashes-- > 0) throw new Error('power cut')
        ran.push(2)
      }
    }
    const migrations = [step(1, ran), crashing, step(3, ran)]
    await expect(migrate(home, { migrations, current: 4 })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      details: { from: 2, to: 3 }
    })
    expect(await readFormat(home)).toBe(2)
    await migrate(home, { migrations, current: 4 })
    expect(ran).toEqual([1, 2, 3])
    expect(await readFormat(home)).toBe(4)
  })
})

function step(from: number, ran: number[]): Migration {
  return {
    from,
    what: `step ${from}`,
    async run(_home, progress) {
      progress('half', 0.5)
      ran.push(from)
    }
  }
}

describe('who runs on a home', () => {
  it('is written whole, read back and removed', async () => {
    const home = await createHome(root, options)
    expect(await readClaim(home)).toBeUndefined()
    await writeClaim(home, claim)
    expect(await readClaim(home)).toEqual(claim)
    expect((await stat(home.claim)).mode & 0o777).toBe(0o600)
    await removeClaim(home)
    expect(await readClaim(home)).toBeUndefined()
  })

  it('is told to the second daemon, as far as it is known', async () => {
    const home = await createHome(root, options)
    await writeClaim(home, claim)
    const error = await homeLockedError(home, new Error('lock'))
    expect(error).toMatchObject({ code: 'HOME_LOCKED', details: { pid: 4711, startedAt: claim.startedAt } })
    expect(error.message).toContain('process 4711 since 2026-01-02T03:04:05.000Z')
    await writeFile(home.claim, '{"pid":"x"')
    expect((await homeLockedError(home, new Error('lock'))).message).toContain('another process')
  })

  it('recognises the error of the lock behind other errors', () => {
    const lock = Object.assign(new Error('io error'), { code: 'LEVEL_LOCKED' })
    expect(isLockError(new Error('not open', { cause: lock }))).toBe(true)
    expect(isLockError(new Error('not open'))).toBe(false)
    expect(homeLayout('/h').claim).toBe('/h/daemon.json')
  })
})
