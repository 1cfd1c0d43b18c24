/** What esbuild is told of the two bundles (bundle.ts). */
import { resolve } from 'node:path'
import type { BuildOptions } from 'esbuild'
import {
  addons,
  leftOut,
  nodeModules,
  ownPackage,
  packedPrefixes,
  plainOrder,
  seldomLoaded
} from './bundle-plugins.ts'

const COMMON = {
  absWorkingDir: resolve(import.meta.dirname, '..'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  conditions: ['node', 'import'],
  mainFields: ['module', 'main'],
  // Names stay, for the stacks in the log; short lines, for the line numbers in them.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'linked',
  sourcemap: true,
  write: false,
  logLevel: 'warning'
} as const satisfies BuildOptions

/** The command line and the daemon, for `outdir`. */
export const programBundle = (outdir: string) =>
  ({
    ...COMMON,
    outdir,
    entryPoints: { program: 'cli/main.ts' },
    plugins: [nodeModules, addons, seldomLoaded, leftOut, ownPackage, packedPrefixes, plainOrder],
    format: 'esm',
    splitting: true,
    sourcemap: 'external',
    define: { 'process.env.NODE_ENV': '"production"', 'import.meta.url': 'bundleUrl' }
  }) as const satisfies BuildOptions

/** The worker thread, for `outdir`. */
export const workerBundle = (outdir: string) =>
  ({
    ...COMMON,
    outdir,
    entryPoints: { worker: 'node/worker.ts' },
    plugins: [nodeModules, addons, seldomLoaded],
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    // Bundled CommonJS packages call `require` for Node's own modules; an ES module has none.
    banner: { js: "const require = process.getBuiltinModule('module').createRequire(import.meta.url)" }
  }) as const satisfies BuildOptions
