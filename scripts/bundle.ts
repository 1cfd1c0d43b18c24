/**
 * `npm run build` (and `prepare`): bundles the program into dist/. One file per entry and shared chunks, so that a short
 * command loads only what it needs while the daemon behind a dynamic import stays unread. Native addons cannot be
 * bundled and stay beside it in node_modules. The bundle takes libp2p from hundreds of small files to a few, which
 * is most of the time and memory of a start.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { displaySize } from '../base/index.ts'

const ROOT = resolve(import.meta.dirname, '..')
const OUT = join(ROOT, 'dist')
/** The names of the results are what bin/catalog.mjs and the worker's owner look for. */
const ENTRIES: Record<string, string> = { catalog: 'cli/main.ts', worker: 'library/worker/worker.ts' }
/** Finds its addon beside itself. That of libp2p-quic is a package of its own, found from dist/ as well, so its code is bundled. */
const NATIVE = ['classic-level']
/** Bundled CommonJS packages call `require` for Node's own modules; an ES module has none. */
const BANNER = [
  "import { createRequire as createRequireOfBundle } from 'node:module'",
  'const require = createRequireOfBundle(import.meta.url)'
].join('\n')

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
    external: NATIVE,
    banner: { js: BANNER },
    define: { 'process.env.NODE_ENV': '"production"' },
    keepNames: true,
    sourcemap: true,
    metafile: true,
    write: false,
    logLevel: 'warning'
  })
  // Only now: a bundle that failed leaves the last good one.
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT)
  for (const { path, contents } of outputFiles) writeFileSync(path, contents)
  for (const [name] of present)
    console.log(`dist/${name}.js: ${displaySize(startBytes(metafile.outputs, `dist/${name}.js`))} at start`)
}

await bundle().catch(error => {
  console.error(`no bundle: ${(error as Error).message.split('\n')[0]}`)
  process.exitCode = 1
})
