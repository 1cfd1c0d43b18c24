import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { build } from 'esbuild'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packChunks } from '../../../scripts/pack-chunks.ts'

const SOURCES = {
  'main.mjs': `
    import { log, Shared } from './shared.mjs'
    log.push('main')
    import('./late.mjs').then(({ isShared }) => { log.push(isShared(new Shared())); globalThis.packed.done(log) })
  `,
  'late.mjs': `
    import { sep } from 'node:path'
    import { log, Shared } from './shared.mjs'
    log.push('late' + sep)
    export const isShared = thing => thing instanceof Shared
  `,
  'shared.mjs': `
    export const log = ['shared']
    export class Shared {}
    export function wrong() {
      throw new Error('wrong')
    }
    globalThis.packed.wrong = wrong
  `
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pack-chunks-'))
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(folder, name), text)
})
afterEach(() => rmSync(folder, { recursive: true }))

async function pack() {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.mjs')],
    outdir: join(folder, 'out'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    sourcemap: 'external',
    write: false
  })
  return packChunks(outputFiles, 'main.js', 1)
}

test('runs a chunk when it is first imported, once, and shares what chunks have in common', async () => {
  const { text } = await pack()
  const done = Promise.withResolvers<unknown[]>()
  Object.assign(globalThis, { packed: { done: done.resolve } })
  const run = new Script(`(function(require){\n${text}\n})`).runInThisContext()
  const asked: string[] = []
  const require = createRequire(import.meta.url)
  run((name: string) => {
    asked.push(name)
    return require(name)
  })
  expect(asked).toEqual([])
  expect(await done.promise).toEqual(['shared', 'main', 'late/', true])
  expect(asked).toEqual(['node:path'])
})

test('its map leads to the line of the source', async () => {
  const { text, map } = await pack()
  const packed: { wrong?: () => void; done(): void } = { done: () => undefined }
  Object.assign(globalThis, { packed })
  new Script(`(function(require){\n${text}\n})`, { filename: 'packed.cjs' }).runInThisContext()(
    createRequire(import.meta.url)
  )
  let stack = ''
  try {
    packed.wrong?.()
  } catch (error) {
    stack = (error as Error).stack ?? ''
  }
  const [, line, column] = /packed\.cjs:(\d+):(\d+)/.exec(stack) ?? []
  const entry = new SourceMap(JSON.parse(map)).findEntry(Number(line) - 1, Number(column) - 1)
  expect(entry).toMatchObject({ originalSource: expect.stringMatching(/shared\.mjs$/), originalLine: 4 })
})
