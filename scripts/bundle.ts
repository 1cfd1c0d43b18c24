/**
 * `npm run build` (and `prepare`): bundles the program into dist/. One file for the command line and the daemon, in which
 * what stands behind a dynamic import is not run before it is imported, and one for the worker. Native addons cannot be
 * bundled and stay beside it in node_modules. The bundle takes libp2p from hundreds of small files to one, and the
 * code caches that are recorded from it take away the compiling: together most of the time and memory of a start.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { displaySize } from '../base/index.ts'
import { programBundle, workerBundle } from './bundle-options.ts'
import { recordCodeCaches } from './code-cache.ts'
import { packChunks } from './pack-chunks.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** Another folder below the root may be given: a test that starts many processes has a bundle of its own. */
const OUT = resolve(ROOT, process.argv[2] ?? 'dist')
const UNHASHED = '0'.repeat(64)

/** A function that bundle-start.cjs calls, which says what the hash is for; a script's value, or what a module exports. */
const PROGRAM_HEAD =
  `/*${UNHASHED}*/(typeof module==="object"?module:{}).exports=(function(require,__filename){"use strict";` +
  'const bundleUrl=require("node:url").pathToFileURL(__filename).href\n'
const PROGRAM_FOOT = '\n})\n//# sourceMappingURL=program.cjs.map\n'

const withHash = (text: string): string =>
  text.replace(UNHASHED, createHash('sha256').update(text).digest('hex'))

/** Builds both; rejects after esbuild has printed what is wrong. */
async function bundle(): Promise<void> {
  const [program, worker] = await Promise.all([build(programBundle(OUT)), build(workerBundle(OUT))])
  const { text, map } = await packChunks(program.outputFiles, 'program.js', 1)
  // Only now: a bundle that failed leaves the last good one.
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  writeFileSync(join(OUT, 'program.cjs'), withHash(PROGRAM_HEAD + text + PROGRAM_FOOT))
  writeFileSync(join(OUT, 'program.cjs.map'), map)
  const licences = program.outputFiles.filter(({ path }) => path.endsWith('.LEGAL.txt'))
  for (const { path, contents } of [...licences, ...worker.outputFiles]) writeFileSync(path, contents)
  const start = join(OUT, 'catalog.cjs')
  copyFileSync(join(import.meta.dirname, 'bundle-start.cjs'), start)
  for (const { path, sizeBytes } of await recordCodeCaches(start))
    console.log(`${relative(ROOT, path)}: ${displaySize(sizeBytes)}`)
}

await bundle().catch(error => {
  console.error(`no bundle: ${(error as Error).message.split('\n')[0]}`)
  process.exitCode = 1
})
