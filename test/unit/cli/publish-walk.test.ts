import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkAllUnchanged, packFolder } from '../../../cli/publish/pack.ts'
import { walkFolder } from '../../../cli/publish/walk.ts'
import { comparePaths } from '../../../library/index.ts'
import { extractTar } from '../../../library/installer/extract.ts'
import { remove, temporaryFolder, treeOf, writeTree } from '../installer/support.ts'

/** A date that a file can be given again exactly. */
const OLD_S = 1_000_000
let top: string
let source: string
beforeEach(() => {
  top = temporaryFolder()
  source = path.join(top, 'source')
  mkdirSync(source)
})
afterEach(() => remove(top))

const paths = (): string[] => walkFolder(source).map(entry => entry.path)

describe('what is published', () => {
  it('is everything in a plain folder, in the order of path bytes', () => {
    writeTree(source, {
      'a/x': '',
      'a-b': '',
      'a.txt': '',
      'b/': '',
      'b-c': '',
      é: '',
      '\u{1F600}': '',
      '\uFB01': '',
      l: '-> a/x'
    })
    expect(paths()).toEqual(['a-b', 'a.txt', 'a/x', 'b', 'b-c', 'l', 'é', '\uFB01', '\u{1F600}'])
  })

  it.each<[string, Record<string, string>, string[]]>([
    [
      '.catalogignore alone decides, nested ones add to it, the nearest wins',
      {
        '.catalogignore': '*.log\n/build/\n!keep.log\n',
        'a.log': '',
        'keep.log': '',
        'build/x': '',
        'sub/build/x': '',
        'sub/.catalogignore': '!b.log\nsecret\n',
        'sub/b.log': '',
        'sub/secret': '',
        'node_modules/dep/index.js': '',
        '.npmrc': '',
        'package.json': '{"files":["nothing"]}',
        '.git/HEAD': ''
      },
      ['.npmrc', 'keep.log', 'node_modules/dep/index.js', 'package.json', 'sub/b.log', 'sub/build/x']
    ],
    [
      "npm's `files` names what is in",
      {
        'package.json':
          '{"files":["lib","!lib/test","bin/*.js","./extra.txt"],"main":"./main.js","bin":{"t":"tools/t.js"}}',
        'main.js': '',
        'tools/t.js': '',
        'lib/a.js': '',
        'lib/deep/b.js': '',
        'lib/test/c.js': '',
        'lib/.npmignore': '*.map\n',
        'lib/a.js.map': '',
        'bin/x.js': '',
        'bin/x.sh': '',
        'extra.txt': '',
        'README.md': '',
        LICENCE: '',
        'src/a.ts': '',
        '.npmignore': 'lib\n',
        'package-lock.json': '',
        'node_modules/x/y': ''
      },
      [
        'LICENCE',
        'README.md',
        'bin/x.js',
        'extra.txt',
        'lib/a.js',
        'lib/deep/b.js',
        'main.js',
        'package.json',
        'tools/t.js'
      ]
    ],
    [
      '.npmignore stands before .gitignore, in each folder',
      {
        'package.json': '{"main":"out.js"}',
        '.npmignore': '*.ts\nout.js\n',
        '.gitignore': '*.md\n',
        'a.ts': '',
        'a.md': '',
        'out.js': '',
        'sub/.gitignore': 'x\n',
        'sub/x': '',
        'sub/y': '',
        'readme.md': ''
      },
      ['a.md', 'out.js', 'package.json', 'readme.md', 'sub/y']
    ],
    [
      'litter is out unless a rule says otherwise',
      {
        '.DS_Store': '',
        'a/.DS_Store': '',
        'a.orig': '',
        '.x.swp': '',
        '._a': '',
        'npm-debug.log': '',
        '.npmrc': 'token',
        'package-lock.json': '',
        'sub/package-lock.json': '',
        'node_modules/a/b': '',
        'sub/node_modules/a/b': '',
        '.git/HEAD': '',
        'sub/.git/HEAD': '',
        '.npmignore': '!a.orig\n'
      },
      ['a.orig', 'sub/node_modules/a/b', 'sub/package-lock.json']
    ],
    [
      'a folder of which everything is left out is no empty folder',
      { '.catalogignore': 'logs/*', 'logs/x': '', a: '' },
      ['a']
    ],
    ['an empty folder stays', { 'a/b/': '', '.catalogignore': 'a/c/', 'a/c/': '' }, ['a/b']],
    [
      'a package.json that is no JSON has no rules',
      { 'package.json': '{{name}}', a: '' },
      ['a', 'package.json']
    ],
    [
      '"." in files means all',
      { 'package.json': '{"files":["."]}', a: '', 'b/c': '' },
      ['a', 'b/c', 'package.json']
    ],
    [
      'patterns of files are those of npm: alternatives, and what is not',
      {
        'package.json':
          '{"files":["lib/**/*.{js,json}","dist/**/!(*.tsbuildinfo)","!*.{pem,key}","!secret"]}',
        'lib/a.js': '',
        'lib/a.map': '',
        'lib/deep/.b.json': '',
        'dist/i.js': '',
        'dist/a.tsbuildinfo': '',
        'dist/sub/j.js': '',
        'dist/sub/b.tsbuildinfo': '',
        'dist/sub/server.key': '',
        'dist/secret/x': '',
        'top.js': ''
      },
      ['dist/i.js', 'dist/sub/j.js', 'lib/a.js', 'lib/deep/.b.json', 'package.json']
    ],
    [
      'a pattern of files that means a folder does not mean what is in it, the name of one does',
      {
        'package.json': '{"files":["l*","src/","./do.c"]}',
        'lib/a': '',
        l: '',
        'src/b': '',
        'do.c/d': '',
        'doxc/e': ''
      },
      ['do.c/d', 'l', 'package.json', 'src/b']
    ],
    [
      'alternatives in the ignore files of npm are read as npm reads them',
      {
        '.npmignore': '*.{pem,key}\n!keep.{key,pem}\n# {a,b}\n',
        'a/x.pem': '',
        'y.key': '',
        'keep.key': '',
        b: ''
      },
      ['b', 'keep.key']
    ],
    ['no files at all leaves what must be there', { 'package.json': '{"files":[]}', a: '' }, ['package.json']]
  ])('%s', (_, tree, expected) => {
    writeTree(source, tree)
    expect(paths()).toEqual(expected)
  })

  it('is what a folder holds that is given through a link', () => {
    writeTree(source, { a: '', 'b/c': '' })
    const link = path.join(top, 'link')
    symlinkSync('source', link)
    expect(walkFolder(link).map(entry => entry.path)).toEqual(['a', 'b/c'])
  })

  it('is the same as npm packs, for the packages that we use ourselves', () => {
    for (const name of ['commander', 'semver', 'pino', 'typebox']) {
      const folder = path.resolve(import.meta.dirname, '../../../node_modules', name)
      const installed = execFileSync('find', ['.', '-type', 'f'], { cwd: folder, encoding: 'utf8' })
        .trim()
        .split('\n')
        .map(line => line.slice(2))
        .filter(line => !line.startsWith('node_modules/'))
      expect(walkFolder(folder).map(entry => entry.path)).toEqual(installed.sort(comparePaths))
    }
  })
})

describe('what is refused', () => {
  it('is a pipe, a socket and a device', async () => {
    execFileSync('mkfifo', [path.join(source, 'pipe')])
    expect(paths).toThrow(
      expect.objectContaining({ code: 'ENTRY_REFUSED', message: expect.stringContaining('a pipe') })
    )
    rmSync(path.join(source, 'pipe'))
    const server = net.createServer().listen(path.join(source, 'socket'))
    await new Promise(resolve => server.once('listening', resolve))
    expect(paths).toThrow(
      expect.objectContaining({ code: 'ENTRY_REFUSED', message: expect.stringContaining('a socket') })
    )
    await new Promise(resolve => server.close(resolve))
    writeFileSync(path.join(source, '.catalogignore'), 'pipe\n')
    execFileSync('mkfifo', [path.join(source, 'pipe')])
    expect(paths()).toEqual([])
  })

  it('is a name that is not UTF-8, unless it is left out', () => {
    const name = Buffer.concat([Buffer.from(`${source}/bad`), Buffer.of(0xff)])
    writeFileSync(name, '')
    expect(paths).toThrow(expect.objectContaining({ code: 'PATH_REFUSED' }))
    writeFileSync(path.join(source, '.catalogignore'), 'bad*\n')
    expect(paths()).toEqual([])
  })

  it('is a link whose target is not UTF-8', () => {
    symlinkSync(Buffer.of(0x61, 0xff), path.join(source, 'l'))
    expect(paths).toThrow(expect.objectContaining({ code: 'PATH_REFUSED' }))
  })

  it('is a folder that is not there, and a file in its place', () => {
    expect(() => walkFolder(path.join(source, 'no'))).toThrow(
      expect.objectContaining({ code: 'SOURCE_UNREADABLE' })
    )
    writeTree(source, { file: '' })
    expect(() => walkFolder(path.join(source, 'file'))).toThrow(
      expect.objectContaining({ code: 'SOURCE_UNREADABLE' })
    )
  })
})

describe('packFolder', () => {
  const pack = (entries = walkFolder(source)): Buffer =>
    Buffer.concat([...packFolder(source, entries, () => {})].map(chunk => Buffer.from(chunk)))

  it('masks setuid and friends, keeps other modes', () => {
    writeTree(source, { run: { text: 'x', mode: 0o4755 }, secret: { text: 'x', mode: 0o600 } })
    expect(walkFolder(source)).toMatchObject([{ mode: 0o755 }, { mode: 0o600 }])
  })

  it('and extractTar give the folder back, whatever is in it', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .map(text => text.replaceAll(/[\0/\uFFFD]/g, '_'))
      .filter(text => text !== '.' && text !== '..')
    const file = fc.record({
      folder: fc.array(name, { maxLength: 3 }),
      name,
      bytes: fc.uint8Array({ maxLength: 3000 }),
      mode: fc.constantFrom(0o644, 0o755, 0o600)
    })
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 10 }), async files => {
        remove(top)
        mkdirSync(source, { recursive: true })
        writeTree(source, { '.catalogignore': '' })
        for (const { folder, name: leaf, bytes, mode } of files) {
          try {
            mkdirSync(path.join(source, ...folder), { recursive: true })
            writeFileSync(path.join(source, ...folder, leaf), bytes, { flag: 'wx' })
            chmodSync(path.join(source, ...folder, leaf), mode)
          } catch {
            // A name that is taken, or a file where a folder would be: another tree then.
          }
        }
        rmSync(path.join(source, '.catalogignore'), { force: true })
        const reserved =
          /^(?:\.git|\.hg|\.svn|CVS|\.npmignore|\.gitignore|\.DS_Store|\._.*|.*\.orig|\..*\.swp|node_modules)$/
        fc.pre(
          !treeOf(source).some(line => line.split('/').some(part => reserved.test(part.split(' ')[0] ?? '')))
        )
        const copy = path.join(top, 'copy')
        mkdirSync(copy)
        await extractTar(chunksOf(pack()), copy, { folding: { case: false, normalisation: false } })
        expect(treeOf(copy)).toEqual(treeOf(source))
      }),
      { numRuns: 60 }
    )
  })

  it.each<[string, () => void]>([
    ['grew', () => appendFileSync(path.join(source, 'a'), 'more')],
    ['shrank', () => writeFileSync(path.join(source, 'a'), 'x')],
    ['was written with the same length', () => writeFileSync(path.join(source, 'a'), 'AAAAA')],
    [
      'was written and dated back',
      () => {
        writeFileSync(path.join(source, 'a'), 'AAAAA')
        utimesSync(path.join(source, 'a'), OLD_S, OLD_S)
      }
    ],
    [
      'was replaced',
      () => {
        writeFileSync(path.join(source, 'n'), 'aaaaa')
        renameSync(path.join(source, 'n'), path.join(source, 'a'))
      }
    ],
    ['is gone', () => rmSync(path.join(source, 'a'))],
    [
      'became a link',
      () => {
        rmSync(path.join(source, 'a'))
        symlinkSync('b', path.join(source, 'a'))
      }
    ],
    [
      'became a pipe',
      () => {
        rmSync(path.join(source, 'a'))
        execFileSync('mkfifo', [path.join(source, 'a')])
      }
    ]
  ])('notices a file that %s since it was listed', (_, change) => {
    writeTree(source, { a: 'aaaaa', b: 'b' })
    utimesSync(path.join(source, 'a'), OLD_S, OLD_S)
    const entries = walkFolder(source)
    nextTick(path.join(source, 'a'))
    change()
    expect(() => pack(entries)).toThrow(
      expect.objectContaining({ code: 'SOURCE_CHANGED', message: expect.stringContaining('a changed') })
    )
    expect(() => checkAllUnchanged(source, entries)).toThrow(
      expect.objectContaining({ code: 'SOURCE_CHANGED' })
    )
  })

  it('notices a file that changes while it is read', () => {
    writeFileSync(path.join(source, 'big'), Buffer.alloc(3 * 1024 * 1024))
    const stream = packFolder(source, walkFolder(source), () => {})
    stream.next()
    nextTick(path.join(source, 'big'))
    appendFileSync(path.join(source, 'big'), 'x')
    expect(() => [...stream]).toThrow(expect.objectContaining({ code: 'SOURCE_CHANGED' }))
  })
})

/** Kernels date changes by a coarse clock: waits until a new change would get another date than the file has. */
function nextTick(file: string): void {
  const probe = path.join(top, 'probe')
  const before = lstatSync(file, { bigint: true }).ctimeNs
  do writeFileSync(probe, '')
  while (lstatSync(probe, { bigint: true }).ctimeNs <= before)
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
