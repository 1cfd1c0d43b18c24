/**
 * `npm run build` (and `prepare`): bundles the program into dist/. One file per entry and shared chunks, so that a short
 * command loads only what it needs while the daemon behind a dynamic import stays unread. Native addons cannot be
 * bundled and stay beside it in node_modules. The bundle takes libp2p from hundreds of small files to a few, which
 * is most of the time and memory of a start.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { displaySize } from '../base/index.ts'
import { addons, leftOut, nodeModules, plainOrder } from './bundle-plugins.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** Another folder below the root may be given: a test that starts many processes has a bundle of its own. */
const OUT = resolve(ROOT, process.argv[2] ?? 'dist')
/** The names of the results are what bin/catalog.mjs and the worker's owner look for. */
const ENTRIES: Record<string, string> = { catalog: 'cli/main.ts', worker: 'library/worker/worker.ts' }
/** Bundled CommonJS packages call `require` for Node's own modules; an ES module has none. */
const BANNER = "const require = process.getBuiltinModule('module').createRequire(import.meta.url)"

/** Bytes that are read before the first line of `output` runs: it and the chunks it imports statically. */
function startBytes(outputs: Metafile['outputs'], output: string, seen = new Set<string>()): number {
  const found = outputs[output]
  if (found === undefined || seen.has(output)) return 0
  seen.add(output)
  return found.imports
    .filter(({ kind }) => kind === 'import-statement')
    .reduce((sum, { path }) => sum + startBytes(outputs, path, seen), found.bytes)
}

/** Builds all entries that exist; rejects after esbuild has printed what is wrong. */
async function bundle(): Promise<void> {
  const present = Object.entries(ENTRIES).filter(([, source]) => existsSync(join(ROOT, source)))
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(present),
    outdir: OUT,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['node', 'import'],
    mainFields: ['module', 'main'],
    plugins: [nodeModules, addons, leftOut, plainOrder],
    banner: { js: BANNER },
    define: { 'process.env.NODE_ENV': '"production"' },
    // Names stay, for the stacks in the log; short lines, for the line numbers in them.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 120,
    sourcemap: true,
    metafile: true,
    write: false,
    logLevel: 'warning'
  })
  // Only now: a bundle that failed leaves the last good one.
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  for (const { path, contents } of outputFiles) writeFileSync(path, contents)
  for (const [name] of present) {
    const path = relative(ROOT, join(OUT, `${name}.js`))
    console.log(`${path}: ${displaySize(startBytes(metafile.outputs, path))} at start`)
  }
}

await bundle().catch(error => {
  console.error(`no bundle: ${(error as Error).message.split('\n')[0]}`)
  process.exitCode = 1
})
