import { encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_ROOT, hashBlock, nodeCid, rawCid } from '../../../library/content/blocks.ts'
import { decodePage, EntryOrder, MAX_PAGE_BYTES, PageBuilder } from '../../../library/content/manifest.ts'
import { checkEntryPath, comparePaths, MAX_PATH_BYTES } from '../../../library/content/paths.ts'
import type { ManifestEntry } from '../../../library/content/types.ts'

const id = hashBlock(Buffer.from('a chunk'))
const file = (path: string, sizeBytes = 10): ManifestEntry => ({
  kind: 'file',
  path,
  mode: 0o644,
  sizeBytes,
  root: sizeBytes === 0 ? EMPTY_ROOT : rawCid(id)
})

function paginate(entries: ManifestEntry[]): Uint8Array[] {
  const builder = new PageBuilder()
  const pages = entries.flatMap(entry => builder.add(entry))
  const last = builder.finish(pages.length === 0)
  return last === undefined ? pages : [...pages, last]
}

const many = (count: number): ManifestEntry[] =>
  Array.from({ length: count }, (_, i) => file(`folder/file-${String(i).padStart(6, '0')}`))

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
  return 'nothing thrown'
}

describe('paths', () => {
  test.each(['a', 'a/b', '.hidden', '..a/b..', 'a b/ü/日本/🎉', 'back\\slash', 'x'.repeat(255), 'new\nline'])(
    '%j may stand in a manifest',
    path => {
      expect(codeOf(() => checkEntryPath(path))).toBe('nothing thrown')
    }
  )

  test.each([
    '',
    '/',
    '/etc/passwd',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/..',
    './a',
    'a/./b',
    'a//b',
    'a/',
    'a\0b',
    'bad\uFFFDname',
    'lone\uD800surrogate',
    'x'.repeat(256),
    'ü'.repeat(128),
    `${'a/'.repeat(MAX_PATH_BYTES / 2)}b`
  ])('%j is refused', path => {
    expect(codeOf(() => checkEntryPath(path))).toBe('PATH_REFUSED')
  })

  test('the order is that of UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { numRuns: 200 }
    )
    expect(comparePaths('\uE000', '🎉')).toBeLessThan(0)
  })
})

describe('order of entries', () => {
  const refused = (...paths: string[]): string => {
    const order = new EntryOrder()
    return codeOf(() => {
      for (const path of paths) order.check(file(path))
    })
  }

  test.each([
    [['a', 'a']],
    [['b', 'a']],
    [['a', 'a/b']],
    [['a', 'a-b', 'a/b']],
    [['a', 'a!', 'a-', 'a-/x', 'a/x/y']],
    [['x/a', 'x/a.b', 'x/a/b']]
  ])('%j is refused', paths => {
    expect(refused(...paths)).toBe('PATH_REFUSED')
  })

  test('what only looks alike passes', () => {
    expect(refused('a', 'a-b', 'a-c/d', 'aa', 'aa-b/c', 'b/a', 'b/a-b', 'b/b')).toBe('nothing thrown')
  })

  test('agrees with the plain definition', () => {
    const segment = fc.constantFrom('a', 'b', 'a-', 'a!', 'ab')
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), paths => {
        const sorted = paths.every((path, i) => i === 0 || comparePaths(paths[i - 1]!, path) < 0)
        const nested = paths.some(a => paths.some(b => b.startsWith(`${a}/`)))
        expect(refused(...paths)).toBe(sorted && !nested ? 'nothing thrown' : 'PATH_REFUSED')
      }),
      { numRuns: 1000 }
    )
  })
})

describe('pages', () => {
  test('a manifest of nothing is one empty page', () => {
    expect(paginate([])).toEqual([Buffer.from([0x80])])
    expect(decodePage(Uint8Array.of(0x80))).toEqual([])
  })

  test('entries of every kind come back as they were', () => {
    const entries: ManifestEntry[] = [
      { kind: 'directory', path: 'empty', mode: 0o755 },
      file('none', 0),
      { kind: 'symlink', path: 'none-link', target: '../../anywhere' },
      { kind: 'file', path: 'tree', mode: 0o755, sizeBytes: 5_000_000_000_000, root: nodeCid(id) }
    ]
    const pages = paginate(entries)
    expect(pages.length).toBe(1)
    expect(decodePage(pages[0]!)).toEqual(entries)
  })

  test('pages are bounded, and an added entry changes one', () => {
    const entries = many(3000)
    const before = paginate(entries)
    expect(before.flatMap(decodePage).length).toBe(3000)
    expect(Math.max(...before.map(page => page.byteLength))).toBeLessThanOrEqual(MAX_PAGE_BYTES + 3)
    entries.splice(1500, 0, file('folder/file-001499x'))
    const known = new Set(before.map(page => Buffer.from(page).toString('hex')))
    const fresh = paginate(entries).filter(page => !known.has(Buffer.from(page).toString('hex')))
    expect(fresh.length).toBeLessThanOrEqual(2)
  })

  test.each<[string, unknown]>([
    ['not an array', { a: 1 }],
    ['an entry that is no array', ['f']],
    ['an unknown kind', [['x', 'a', 1]]],
    ['a file without root', [['f', 'a', 0o644, 10]]],
    ['a field too many', [['d', 'a', 0o755, 1]]],
    ['mode with setuid', [['f', 'a', 0o4755, 10, rawCid(id)]]],
    ['negative size', [['f', 'a', 0o644, -1, rawCid(id)]]],
    ['fraction of a byte', [['f', 'a', 0o644, 1.5, rawCid(id)]]],
    ['one chunk of 1 MiB', [['f', 'a', 0o644, 1 << 20, rawCid(id)]]],
    ['no bytes with a chunk', [['f', 'a', 0o644, 0, rawCid(id)]]],
    ['a tree of one byte', [['f', 'a', 0o644, 1, nodeCid(id)]]]
  ])('%s is refused', (_what, page) => {
    expect(codeOf(() => decodePage(encode(page)))).toBe('CONTENT_INVALID')
  })

  test('hostile paths and orders are refused in a page too', () => {
    const entry = (path: string): unknown => ['l', path, 'target']
    expect(codeOf(() => decodePage(encode([entry('../a')])))).toBe('PATH_REFUSED')
    expect(codeOf(() => decodePage(encode([entry('b'), entry('a')])))).toBe('PATH_REFUSED')
    expect(codeOf(() => decodePage(encode([['l', 'a', '']])))).toBe('PATH_REFUSED')
    expect(codeOf(() => decodePage(encode([['l', 'a', '/etc'], entry('a/x')])))).toBe('PATH_REFUSED')
  })

  test('what is not canonical is refused', () => {
    const page = paginate(many(3))[0]!
    // The array's head in a longer form than needed.
    const longer = Buffer.concat([Uint8Array.of(0x98, 3), page.subarray(1)])
    expect(codeOf(() => decodePage(longer))).toBe('CONTENT_INVALID')
    expect(codeOf(() => decodePage(Buffer.concat([page, Uint8Array.of(0)])))).toBe('CONTENT_INVALID')
    expect(codeOf(() => decodePage(new Uint8Array(MAX_PAGE_BYTES + 4)))).toBe('CONTENT_INVALID')
  })
})
