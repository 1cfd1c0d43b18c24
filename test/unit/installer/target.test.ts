import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InstallTarget } from '../../../library/index.ts'
import { type JournalStep, stagingOf } from '../../../library/installer/journal.ts'
import {
  file,
  type Item,
  link,
  packageOf,
  pieces,
  remove,
  tarOf,
  temporaryFolder,
  treeOf,
  writeTree
} from './support.ts'

let top: string
let dir: string
beforeEach(() => {
  top = temporaryFolder()
  dir = path.join(top, 'vendor')
})
afterEach(() => remove(top))

const V1 = [file('index.js', 'one'), file('old.js', 'gone later'), link('main', 'index.js')]
const V2 = [file('index.js', 'two'), file('lib/new.js', 'new')]

async function install(
  packages: Array<[name: string, version: string, items: Item[]]>,
  exact = false
): Promise<void> {
  const target = InstallTarget.open(dir)
  try {
    for (const [name, version, items] of packages)
      await target.stage(packageOf(name, version, items), pieces(tarOf(items)))
    target.commit({ exact })
  } finally {
    target.close()
  }
}

const lockOf = (): Record<string, { version: string }> =>
  JSON.parse(readFileSync(path.join(dir, 'catalog-lock.json'), 'utf8')).packages

describe('an install', () => {
  it('puts each package below its name, writes the lock, and leaves nothing else', async () => {
    await install([
      ['tool', '1.0.0', V1],
      ['@acme/tool', '2.0.0', V2]
    ])
    expect(readdirSync(dir).sort()).toEqual(['.catalog', '@acme', 'catalog-lock.json', 'tool'])
    expect(readdirSync(path.join(dir, '.catalog'))).toEqual(['installed.json'])
    expect(treeOf(path.join(dir, 'tool'))).toContain('main -> index.js')
    expect(readFileSync(path.join(dir, '@acme/tool/lib/new.js'), 'utf8')).toBe('new')
    expect(lockOf()).toEqual({
      '@acme/tool': { ...packageOf('@acme/tool', '2.0.0', V2), name: undefined },
      tool: { ...packageOf('tool', '1.0.0', V1), name: undefined }
    })
  })

  it('over another version leaves none of its files', async () => {
    await install([['tool', '1.0.0', V1]])
    await install([['tool', '2.0.0', V2]])
    expect(readdirSync(path.join(dir, 'tool')).sort()).toEqual(['index.js', 'lib'])
    expect(lockOf().tool?.version).toBe('2.0.0')
  })

  it('keeps what other installs put there, unless it is to be exact', async () => {
    await install([['a', '1.0.0', V1]])
    await install([['b', '1.0.0', V1]])
    expect(Object.keys(lockOf())).toEqual(['a', 'b'])
    await install([['b', '1.0.0', V1]], true)
    expect(Object.keys(lockOf())).toEqual(['b'])
    expect(existsSync(path.join(dir, 'a'))).toBe(false)
  })

  it('makes equal locks from equal installs, in any order', async () => {
    await install([
      ['a', '1.0.0', V1],
      ['b', '1.0.0', V2]
    ])
    const first = readFileSync(path.join(dir, 'catalog-lock.json'), 'utf8')
    remove(dir)
    await install([['b', '1.0.0', V2]])
    await install([['a', '1.0.0', V1]])
    expect(readFileSync(path.join(dir, 'catalog-lock.json'), 'utf8')).toBe(first)
  })
})

describe('what an install refuses', () => {
  it('a folder that is not its own, and leaves it alone', async () => {
    writeTree(dir, { 'tool/mine.txt': 'mine' })
    await expect(install([['tool', '1.0.0', V1]])).rejects.toMatchObject({ code: 'TARGET_REFUSED' })
    expect(treeOf(dir)).toHaveLength(1)
  })

  it.each([
    ['a link where the package goes', () => symlinkSync('/etc', path.join(dir, 'tool')), 'tool'],
    ['a link where the scope goes', () => symlinkSync('/etc', path.join(dir, '@acme')), '@acme/tool'],
    ['a file where the package goes', () => writeFileSync(path.join(dir, 'tool'), ''), 'tool'],
    ['a link where its own state goes', () => symlinkSync('/etc', path.join(dir, '.catalog')), 'tool'],
    ['a package that is called like the lock', () => {}, 'catalog-lock.json']
  ])('%s', async (_, prepare, name) => {
    mkdirSync(dir)
    prepare()
    const before = readdirSync(dir)
    await expect(install([[name, '1.0.0', V1]])).rejects.toMatchObject({ code: 'TARGET_REFUSED' })
    expect(readdirSync(dir)).toEqual(before)
  })

  it('a content that is not what its record says', async () => {
    const target = InstallTarget.open(dir)
    const item = { ...packageOf('tool', '1.0.0', V1), files: 7 }
    await expect(target.stage(item, pieces(tarOf(V1)))).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    target.close()
    expect(existsSync(dir)).toBe(false)
  })

  it('to run twice in one folder at once', async () => {
    const first = InstallTarget.open(dir)
    expect(() => InstallTarget.open(dir)).toThrow(
      expect.objectContaining({ code: 'TARGET_BUSY', message: expect.stringContaining(String(process.pid)) })
    )
    await first.stage(packageOf('tool', '1.0.0', V1), pieces(tarOf(V1)))
    first.commit({ exact: false })
    first.close()
    await install([['tool', '2.0.0', V2]])
    expect(lockOf().tool?.version).toBe('2.0.0')
  })

  it.each([
    ['no JSON', '{'],
    ['another version', '{"lockVersion":9,"packages":{}}'],
    ['a name that leads out', '{"lockVersion":1,"packages":{"../x":{}}}'],
    ['a version that is none', '{"lockVersion":1,"packages":{"x":{"version":"one"}}}'],
    ['a list', '[]'],
    ['null', 'null']
  ])('a lock file that is %s', async (_, text) => {
    writeTree(dir, { 'catalog-lock.json': text })
    const target = InstallTarget.open(dir)
    expect(() => target.readLock()).toThrow(expect.objectContaining({ code: 'LOCK_INVALID' }))
    target.close()
    expect(readFileSync(path.join(dir, 'catalog-lock.json'), 'utf8')).toBe(text)
  })
})

describe('an install that fails', () => {
  it('before its commit leaves what was there, and no folder of its own', async () => {
    const cut = tarOf(V1).subarray(0, 1024)
    const target = InstallTarget.open(dir)
    await expect(target.stage(packageOf('tool', '1.0.0', V1), pieces(cut))).rejects.toMatchObject({
      code: 'STREAM_TRUNCATED'
    })
    target.close()
    expect(existsSync(dir)).toBe(false)
  })

  it('in the middle of its commit puts everything back', async () => {
    await install([
      ['a', '1.0.0', V1],
      ['b', '1.0.0', V1]
    ])
    const before = treeOf(dir)
    const target = InstallTarget.open(dir)
    await target.stage(packageOf('a', '2.0.0', V2), pieces(tarOf(V2)))
    await target.stage(packageOf('c', '2.0.0', V2), pieces(tarOf(V2)))
    // Appears after the check, and is found when a has been replaced already.
    writeTree(dir, { 'c/file': 'in the way' })
    expect(() => target.commit({ exact: false })).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }))
    rmSync(path.join(dir, 'c'), { recursive: true })
    target.close()
    expect(treeOf(dir)).toEqual(before)
  })
})

describe('an install that was killed', () => {
  const STEPS: JournalStep[] = [
    { kind: 'folder', action: 'put', target: 'a', replaces: true },
    { kind: 'folder', action: 'put', target: 'b', replaces: false },
    { kind: 'folder', action: 'take', target: 'c' },
    { kind: 'file', action: 'put', target: 'catalog-lock.json' },
    { kind: 'file', action: 'put', target: '.catalog/installed.json' }
  ]
  const at = (relative: string): string => path.join(dir, relative)
  /** What a commit of STEPS does, one call after another. */
  const OPERATIONS: Array<[name: string, from: string, to: string]> = [
    ['old a away', 'a', '.catalog/old/0'],
    ['new a in', '.catalog/staging/0', 'a'],
    ['new b in', '.catalog/staging/1', 'b'],
    ['c away', 'c', '.catalog/old/2'],
    ['lock in', '.catalog/staging/3', 'catalog-lock.json'],
    ['installed in', '.catalog/staging/4', '.catalog/installed.json']
  ]

  /** The disk as it is when the journal stands and the first `done` operations were carried out. */
  async function killedAfter(done: number): Promise<void> {
    await install([
      ['a', '1.0.0', V1],
      ['c', '1.0.0', V1]
    ])
    const target = InstallTarget.open(dir)
    await target.stage(packageOf('a', '2.0.0', V2), pieces(tarOf(V2)))
    await target.stage(packageOf('b', '2.0.0', V2), pieces(tarOf(V2)))
    writeFileSync(stagingOf(dir, 3), '{"lockVersion":1,"packages":{}}')
    writeFileSync(stagingOf(dir, 4), '{"installed":["a","b"]}')
    mkdirSync(at('.catalog/old'))
    writeFileSync(at('.catalog/journal.json'), JSON.stringify({ journalVersion: 1, steps: STEPS }))
    for (const [, from, to] of OPERATIONS.slice(0, done)) renameSync(at(from), at(to))
    // The process dies here: its lock goes, everything else stays (`close` would clear it away).
    rmSync(at('.catalog/lock'))
  }

  it.each([[0, 'nothing done'], ...OPERATIONS.map(([name], index) => [index + 1, name])] as Array<
    [number, string]
  >)('is finished by the next one (%i: %s)', async done => {
    await killedAfter(done)
    InstallTarget.open(dir).close()
    expect(readdirSync(at('.catalog'))).toEqual(['installed.json'])
    expect(readdirSync(dir).sort()).toEqual(['.catalog', 'a', 'b', 'catalog-lock.json'])
    for (const name of ['a', 'b']) {
      const tree = treeOf(at(name))
      expect(tree.map(line => line.split(' ')[0])).toEqual(['index.js', 'lib/new.js'])
    }
    expect(lockOf()).toEqual({})
  })

  it('before its journal stood is cleared away', async () => {
    await install([['a', '1.0.0', V1]])
    const before = treeOf(dir)
    writeTree(dir, {
      '.catalog/staging/0/index.js': 'half',
      '.catalog/old/0/x': 'y',
      '.catalog/journal.json.new': '{"st'
    })
    const target = InstallTarget.open(dir)
    target.close()
    expect(treeOf(path.join(dir, 'a'))).toEqual(
      before.filter(line => line.startsWith('a/')).map(line => line.slice(2))
    )
    expect(readdirSync(path.join(dir, '.catalog'))).toEqual(['installed.json'])
  })

  it.each([
    [
      'a way out as a name',
      '{"journalVersion":1,"steps":[{"kind":"folder","action":"take","target":"../x"}]}'
    ],
    [
      'a file that is none of ours',
      '{"journalVersion":1,"steps":[{"kind":"file","action":"put","target":"../evil"}]}'
    ],
    [
      'the lock as a folder',
      '{"journalVersion":1,"steps":[{"kind":"folder","action":"take","target":"catalog-lock.json"}]}'
    ],
    ['null as a step', '{"journalVersion":1,"steps":[null]}'],
    ['another version', '{"journalVersion":2,"steps":[]}'],
    ['half a document', '{"journalVer']
  ])('cannot be made to touch something else by a forged journal: %s', (_, text) => {
    writeTree(dir, { '.catalog/journal.json': text, '.catalog/staging/0': 'evil' })
    writeTree(top, { 'x/file': 'mine' })
    expect(() => InstallTarget.open(dir)).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }))
    expect(readdirSync(top).sort()).toEqual(['vendor', 'x'])
    expect(readdirSync(dir)).toEqual(['.catalog'])
  })
})

/** Runs as a user who may not do everything, also when the tests run as root. */
async function asOrdinaryUser(folder: string, work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return await work()
  chownSync(folder, NOBODY, NOBODY)
  process.seteuid?.(NOBODY)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}
const NOBODY = 65534

it('a package with a folder that nobody may enter is installed, replaced and removed', async () => {
  const items: Item[] = [file('a', 'x'), { kind: 'directory', path: 'closed', mode: 0 }]
  await asOrdinaryUser(top, async () => {
    for (const version of ['1.0.0', '1.0.1', '1.0.2']) {
      const target = InstallTarget.open(dir)
      await target.stage(packageOf('tool', version, items), pieces(tarOf(items)))
      target.commit({ exact: false })
      target.close()
    }
    expect(readdirSync(path.join(dir, '.catalog')).sort()).not.toContain('old')
    const target = InstallTarget.open(dir)
    await target.stage(packageOf('tool', '2.0.0', items), pieces(tarOf(items)))
    target.close()
    expect(readdirSync(path.join(dir, '.catalog')).sort()).not.toContain('staging')
  })
})

it.runIf(process.getuid?.() === 0)('leftovers of another user do not fail a committed install', async () => {
  const items = [file('a', 'x')]
  let target: InstallTarget | undefined
  await asOrdinaryUser(top, async () => {
    target = InstallTarget.open(dir)
    await target.stage(packageOf('tool', '1.0.0', items), pieces(tarOf(items)))
    target.commit({ exact: false })
  })
  writeTree(dir, { '.catalog/staging/others/file': 'x' })
  await asOrdinaryUser(top, async () => target?.close())
  expect(readFileSync(path.join(dir, 'tool', 'a'), 'utf8')).toBe('x')
  expect(existsSync(path.join(dir, '.catalog', 'staging', 'others'))).toBe(true)
  InstallTarget.open(dir).close()
  expect(existsSync(path.join(dir, '.catalog', 'staging'))).toBe(false)
})

it('that cannot begin leaves no lock and no folder of its own', () => {
  writeTree(dir, { '.catalog/holder/x': '' })
  expect(() => InstallTarget.open(dir)).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }))
  expect(readdirSync(path.join(dir, '.catalog'))).toEqual(['holder'])
  rmSync(path.join(dir, '.catalog', 'holder'), { recursive: true })
  InstallTarget.open(dir).close()
  expect(readdirSync(dir)).toEqual([])
})

it.runIf(process.platform === 'linux')('removes names that are no text', async () => {
  await install([['tool', '1.0.0', V1]])
  const name = Buffer.from([0x61, 0xff, 0xfe])
  mkdirSync(Buffer.concat([Buffer.from(`${dir}/tool/`), name]))
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/tool/`), name, Buffer.from('/b'), name]), 'of the user')
  await install([['tool', '2.0.0', V2]])
  expect(readdirSync(dir).sort()).toEqual(['.catalog', 'catalog-lock.json', 'tool'])
  expect(readdirSync(path.join(dir, '.catalog'))).toEqual(['installed.json'])
})

it.each(['{', 'null', '{"installed":"tool"}', '{"installed":["../up"]}', '{"installed":[1]}'])(
  'a target whose installed.json is %s is refused',
  text => {
    writeTree(dir, { '.catalog/installed.json': text, 'tool/file': 'x' })
    const target = InstallTarget.open(dir)
    expect(() => target.checkPlace('tool')).toThrow(
      expect.objectContaining({ code: 'TARGET_REFUSED', hint: expect.stringContaining('another folder') })
    )
    target.close()
  }
)

it.runIf(process.platform === 'linux')('a target where no folders can be made is refused', () => {
  expect(() => InstallTarget.open('/proc/catalog')).toThrow(
    expect.objectContaining({ code: 'TARGET_NOT_WRITABLE' })
  )
})
