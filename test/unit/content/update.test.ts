/** A check of an update beside an older content must never be content where the check of everything is not. */
import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { CatalogError, toCatalogError } from '../../../base/index.ts'
import { hashBlock, idHex, idKey, rawCid } from '../../../library/content/blocks.ts'
import { checkPresent, type Totals } from '../../../library/content/check.ts'
import { PageBuilder } from '../../../library/content/manifest.ts'
import { comparePaths } from '../../../library/content/paths.ts'
import type { BlockReader } from '../../../library/content/reader.ts'
import { MANIFEST_FANOUT, TreeBuilder } from '../../../library/content/tree.ts'
import type { BlockId, ManifestEntry } from '../../../library/content/types.ts'
import { checkUpdate } from '../../../library/content/update.ts'

const FILE_BYTES = 20
const NO_PAUSES = { due: () => false, pause: async () => {} }

/** Blocks in memory, as the worker reads them. */
class Blocks {
  readonly held = new Map<string, Uint8Array>()
  reads = 0

  put(bytes: Uint8Array): BlockId {
    const id = hashBlock(bytes)
    this.held.set(idKey(id), bytes)
    return id
  }

  get reader(): BlockReader {
    const has = (id: BlockId): boolean => this.held.has(idKey(id))
    const read = async (id: BlockId): Promise<Uint8Array> => {
      this.reads++
      const bytes = this.held.get(idKey(id))
      if (bytes === undefined)
        throw new CatalogError('CONTENT_MISSING', 'no such block', { details: { id: idHex(id) } })
      return bytes
    }
    const locate = (id: BlockId) => ({ rawLengthBytes: this.held.get(idKey(id))?.byteLength })
    return {
      has,
      read,
      locate: (id: BlockId) => (has(id) ? locate(id) : undefined)
    } as unknown as BlockReader
  }

  file(path: string, body = path): ManifestEntry {
    const id = this.put(Buffer.alloc(FILE_BYTES, body))
    return { kind: 'file', path, mode: 0o644, sizeBytes: FILE_BYTES, root: rawCid(id) }
  }

  /** A manifest of these pages in the order given, right or not. */
  manifestOf(pages: Uint8Array[]): CID {
    const tree = new TreeBuilder(MANIFEST_FANOUT)
    for (const page of pages)
      for (const node of tree.push({ id: this.put(page), lengthBytes: page.byteLength })) this.put(node.bytes)
    const { root, nodes } = tree.finish()
    for (const { bytes } of nodes) this.put(bytes)
    return root
  }
}

function pagesOf(entries: ManifestEntry[]): Uint8Array[] {
  const builder = new PageBuilder()
  const pages = entries.flatMap(entry => builder.add(entry))
  const last = builder.finish(pages.length === 0)
  return last === undefined ? pages : [...pages, last]
}

const bySortedPath = (a: ManifestEntry, b: ManifestEntry): number => comparePaths(a.path, b.path)

/** Some hundred files, with names that sort between a folder and what is in it. */
const PATHS = ['a', 'a-b', 'b', 'b!', 'b/c', 'b/c+d', 'd.e', 'f'].flatMap(folder =>
  Array.from({ length: 60 }, (_, i) => `${folder}/file-${String(i).padStart(3, '0')}`)
)

type Outcome = Totals | { code: string } | undefined
const outcomeOf = (run: Promise<Totals | undefined>): Promise<Outcome> =>
  run.catch(thrown => ({ code: toCatalogError(thrown).code }))

async function compare(blocks: Blocks, older: ManifestEntry[], newer: ManifestEntry[], lost: string[] = []) {
  const olderRoot = blocks.manifestOf(pagesOf(older))
  const content = blocks.manifestOf(pagesOf(newer))
  const files = older.filter(({ kind }) => kind === 'file').length
  const olderSummary = { sizeBytes: files * FILE_BYTES, files }
  for (const body of lost) blocks.held.delete(idKey(hashBlock(Buffer.alloc(FILE_BYTES, body))))
  blocks.reads = 0
  const short = await outcomeOf(
    checkUpdate(blocks.reader, { content, older: olderRoot, olderSummary }, NO_PAUSES)
  )
  const shortReads = blocks.reads
  blocks.reads = 0
  const long = await outcomeOf(checkPresent(blocks.reader, content, NO_PAUSES))
  return { short, long, shortReads, longReads: blocks.reads }
}

function expectAsSafe({ short, long }: { short: Outcome; long: Outcome }): void {
  if (short === undefined) return
  if ('code' in short) expect(long).toHaveProperty('code')
  else expect(short).toEqual(long)
}

type Change =
  | { kind: 'put'; path: string; body: string }
  | { kind: 'remove'; path: string }
  | { kind: 'swap'; at: number }
  | { kind: 'twice'; at: number }
  | { kind: 'move'; from: number; count: number }

function apply(change: Change, entries: ManifestEntry[], blocks: Blocks): ManifestEntry[] {
  const without = (path: string): ManifestEntry[] => entries.filter(entry => entry.path !== path)
  switch (change.kind) {
    case 'put':
      return [...without(change.path), blocks.file(change.path, change.body)].sort(bySortedPath)
    case 'remove':
      return without(change.path)
    case 'swap':
      return entries.toSpliced(change.at, 2, ...entries.slice(change.at, change.at + 2).reverse())
    case 'twice':
      return entries.toSpliced(change.at, 0, ...entries.slice(change.at, change.at + 1))
    case 'move': {
      const { from, count } = change
      return [...entries.toSpliced(from, count), ...entries.slice(from, from + count)]
    }
  }
}

describe('an update beside an older content', () => {
  test('reads only what is new, and finds the same totals', async () => {
    const blocks = new Blocks()
    const older = PATHS.map(path => blocks.file(path)).sort(bySortedPath)
    const newer = older.filter(({ path }) => path !== 'b/c/file-010')
    newer.push(blocks.file('a/file-031x'), blocks.file('z/new'))
    newer[5] = blocks.file(newer[5]!.path, 'changed')
    const found = await compare(blocks, older, newer.sort(bySortedPath))
    expect(found.short).toEqual({ sizeBytes: (PATHS.length + 1) * FILE_BYTES, files: PATHS.length + 1 })
    expect(found.short).toEqual(found.long)
    expect(found.shortReads).toBeLessThan(found.longReads)
  })

  test('is left to the check of everything when it has too many pages that are new', async () => {
    const blocks = new Blocks()
    const older = Array.from({ length: 3 }, (_, i) => blocks.file(`older-${i}`))
    const entries = Array.from({ length: 25_000 }, (_, i) => blocks.file(`f-${String(i).padStart(6, '0')}`))
    expect((await compare(blocks, older, entries)).short).toBeUndefined()
  })

  test.each<[string, string, (entries: ManifestEntry[], blocks: Blocks) => ManifestEntry[]]>([
    [
      'a file where the older one has a folder',
      'PATH_REFUSED',
      (entries, blocks) => [...entries, blocks.file('b')]
    ],
    [
      'a file below a file in a page that is not new',
      'PATH_REFUSED',
      (entries, blocks) => [...entries, blocks.file('b/file-010/x')]
    ],
    [
      'a link where a folder is',
      'PATH_REFUSED',
      entries => [...entries, { kind: 'symlink', path: 'b/c', target: 'd' }]
    ],
    [
      'a new chunk that is not here',
      'CONTENT_MISSING',
      (entries, blocks) => [...entries, blocks.file('z', 'lost')]
    ]
  ])('with %s is refused with %s', async (_, code, change) => {
    const blocks = new Blocks()
    const older = PATHS.map(path => blocks.file(path)).sort(bySortedPath)
    const newer = change(older, blocks).sort(bySortedPath)
    const found = await compare(blocks, older, newer, ['lost'])
    expect(found.short).toEqual({ code })
    expect(found.long).toEqual({ code })
  })

  test('whose pages are right but in another order is never found right', async () => {
    const blocks = new Blocks()
    const pages = pagesOf(PATHS.map(path => blocks.file(path)).sort(bySortedPath))
    const older = blocks.manifestOf(pages)
    const content = blocks.manifestOf([...pages.slice(5), ...pages.slice(0, 5)])
    const olderSummary = { sizeBytes: PATHS.length * FILE_BYTES, files: PATHS.length }
    const check = checkUpdate(blocks.reader, { content, older, olderSummary }, NO_PAUSES)
    expect(await outcomeOf(check)).toBeUndefined()
    const code = 'PATH_REFUSED'
    expect(await outcomeOf(checkPresent(blocks.reader, content, NO_PAUSES))).toEqual({ code })
  })

  test('any change, honest or hostile, is judged as by the check of everything', async () => {
    const path = fc.oneof(
      fc.constantFrom(...PATHS),
      fc.constantFrom(
        'a',
        'b',
        'b/c',
        'b!/x',
        'a/file-001/x',
        'b/file-030-',
        'b/file-030/y',
        '0',
        'zz/y',
        'b/c+d'
      )
    )
    const change: fc.Arbitrary<Change> = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), path, body: fc.constantFrom('1', '2', 'lost') }),
      fc.record({ kind: fc.constant('remove' as const), path }),
      fc.record({ kind: fc.constant('swap' as const), at: fc.nat(PATHS.length - 2) }),
      fc.record({ kind: fc.constant('twice' as const), at: fc.nat(PATHS.length - 2) }),
      fc.record({
        kind: fc.constant('move' as const),
        from: fc.nat(400),
        count: fc.integer({ min: 1, max: 60 })
      })
    )
    let judged = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), async changes => {
        const blocks = new Blocks()
        const older = PATHS.map(of => blocks.file(of)).sort(bySortedPath)
        let newer = [...older]
        for (const change of changes) newer = apply(change, newer, blocks)
        const found = await compare(blocks, older, newer, ['lost'])
        expectAsSafe(found)
        if (found.short !== undefined) judged++
      }),
      { numRuns: 150 }
    )
    expect(judged).toBeGreaterThan(50)
  })
})
