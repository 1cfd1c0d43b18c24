import { lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CollisionCheck, probeFolding } from '../../../library/installer/collisions.ts'
import { extractTar } from '../../../library/installer/extract.ts'
import {
  file,
  type Item,
  link,
  pieces,
  remove,
  tarOf,
  temporaryFolder,
  treeOf,
  writeTree
} from './support.ts'

const FOLDING = { case: false, normalisation: false }
let top: string
let target: string
beforeEach(() => {
  top = temporaryFolder()
  target = path.join(top, 'target')
  writeTree(top, { 'target/': '', 'outside/file': 'untouched' })
})
afterEach(() => remove(top))

const extract = (items: Item[], pieceBytes?: number): Promise<unknown> =>
  extractTar(pieces(tarOf(items), pieceBytes), target, { folding: FOLDING })

describe('extractTar', () => {
  it('takes so many entries and no more', async () => {
    const items = [file('a', 'x'), link('b', 'a'), file('c', 'x')]
    const take = (maxEntries: number): Promise<unknown> =>
      extractTar(pieces(tarOf(items)), target, { folding: FOLDING, maxEntries })
    await expect(take(2)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    remove(target)
    writeTree(top, { 'target/': '' })
    await expect(take(3)).resolves.toMatchObject({ files: 2 })
  })

  it('writes files, modes, links and empty folders as they were', async () => {
    const long = `${'d'.repeat(200)}/${'é'.repeat(100)}`
    const totals = await extract([
      file('a/b/c.txt', 'hello'),
      file('empty', ''),
      file(long, 'far down'),
      file('run.sh', '#!/bin/sh', 0o755),
      file('shared', 'all', 0o666),
      { kind: 'directory', path: 'nothing/here', mode: 0o700 },
      { kind: 'directory', path: 'readonly', mode: 0o555 },
      link('a/l', '../../outside'),
      link('dangling', 'nowhere')
    ])
    expect(totals).toEqual({ files: 5, sizeBytes: 5 + 8 + 9 + 3 })
    const text = (value: string): string => Buffer.from(value).toString('base64')
    expect(treeOf(target)).toEqual([
      `a/b/c.txt 644 ${text('hello')}`,
      'a/l -> ../../outside',
      'dangling -> nowhere',
      `${long} 644 ${text('far down')}`,
      'empty 644 ',
      'nothing/here/ 700',
      'readonly/ 555',
      `run.sh 755 ${text('#!/bin/sh')}`,
      `shared 666 ${text('all')}`
    ])
  })

  it('masks setuid, setgid and sticky bits', async () => {
    await extract([file('su', 'x', 0o6755), { kind: 'directory', path: 'd', mode: 0o1777 }])
    expect(lstatSync(path.join(target, 'su')).mode & 0o7777).toBe(0o755)
    expect(lstatSync(path.join(target, 'd')).mode & 0o7777).toBe(0o777)
  })

  it.each<[string, Item[]]>([
    ['a file below a link', [link('a', '../outside'), file('a/x', 'evil')]],
    ['a file below a link that comes later', [file('a/x', 'evil'), link('a', '../outside')]],
    ['a link below a link', [link('a', '../outside'), link('a/x', '/etc/passwd')]],
    ['a folder below a link', [link('a', '../outside'), { kind: 'directory', path: 'a/x', mode: 0o755 }]],
    ['a file below a file', [file('a', 'x'), file('a/b', 'y')]],
    ['a file below an empty folder', [{ kind: 'directory', path: 'a', mode: 0o755 }, file('a/b', 'y')]],
    ['a path twice', [file('a', 'x'), file('a', 'y')]],
    ['a link in the place of a file', [file('a', 'x'), link('a', 'b')]],
    ['a folder in the place of a file', [file('a', 'x'), { kind: 'directory', path: 'a', mode: 0o755 }]],
    ['a way up', [file('../outside/file', 'evil')]],
    ['a way up in the middle', [file('a/../../outside/file', 'evil')]],
    ['an absolute path', [file('/tmp/evil', 'evil')]],
    ['an empty segment', [file('a//b', 'x')]],
    ['a dot', [file('./a', 'x')]],
    ['an empty link target', [link('a', '')]]
  ])('refuses %s', async (_, items) => {
    await expect(extract(items)).rejects.toMatchObject({ code: 'PATH_REFUSED' })
    expect(treeOf(path.join(top, 'outside'))).toHaveLength(1)
    expect(treeOf(path.join(top, 'outside'))[0]).toContain(Buffer.from('untouched').toString('base64'))
    expect(readdirSync(top).sort()).toEqual(['outside', 'target'])
  })

  it('never writes outside its folder, whatever the stream says', async () => {
    const part = fc.constantFrom('a', 'b', '..', '.', '', '/', '../outside', 'c/d')
    const name = fc.array(part, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
    const item: fc.Arbitrary<Item> = fc.oneof(
      name.map(text => file(text, 'evil')),
      fc.tuple(name, fc.constantFrom('../outside', '/', '.', '..', top)).map(([text, to]) => link(text, to)),
      name.map((text): Item => ({ kind: 'directory', path: text, mode: 0o755 }))
    )
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 6 }), async items => {
        remove(target)
        writeTree(top, { 'target/': '' })
        await extract(items).catch((error: { code: string }) => {
          expect(error.code).toBe('PATH_REFUSED')
        })
        expect(readdirSync(top).sort()).toEqual(['outside', 'target'])
        expect(treeOf(path.join(top, 'outside'))).toEqual([
          `file 644 ${Buffer.from('untouched').toString('base64')}`
        ])
      }),
      { numRuns: 200 }
    )
  })

  it('stops when the stream is cut, fails or is cancelled, and closes its files', async () => {
    const tar = tarOf([file('a', 'x'.repeat(100_000))])
    const open = (): number => readdirSync('/proc/self/fd').length
    const before = open()
    await expect(
      extractTar(pieces(tar.subarray(0, 50_000)), target, { folding: FOLDING })
    ).rejects.toMatchObject({
      code: 'STREAM_TRUNCATED'
    })
    remove(target)
    writeTree(top, { 'target/': '' })
    const controller = new AbortController()
    const cancelled = extractTar(pieces(tar, 1000), target, {
      folding: FOLDING,
      signal: controller.signal,
      onProgress: () => controller.abort()
    })
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
    expect(open()).toBe(before)
  })
})

describe('names that a disk folds', () => {
  it('are found out by trying, leaving nothing behind', () => {
    expect(probeFolding(target)).toEqual({ case: false, normalisation: false })
    expect(readdirSync(target)).toEqual([])
  })

  it.each([
    ['case', { case: true, normalisation: false }, 'README', 'Readme'],
    ['folders', { case: true, normalisation: false }, 'Lib', 'lib'],
    ['sharp s', { case: true, normalisation: false }, 'straße', 'STRASSE'],
    ['normalisation', { case: false, normalisation: true }, 'caf\u00e9', 'cafe\u0301']
  ])('are refused: %s', (_, folding, first, second) => {
    const check = new CollisionCheck(folding)
    check.add(first)
    check.add(first)
    expect(() => check.add(second)).toThrow(expect.objectContaining({ code: 'PATH_REFUSED' }))
    const other = new CollisionCheck({ case: !folding.case, normalisation: !folding.normalisation })
    other.add(first)
    other.add(second)
  })
})
