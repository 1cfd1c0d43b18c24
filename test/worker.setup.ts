/**
 * Bundles the worker thread once for all unit tests that open a library, from the sources as they are now: from these a worker takes a second of
 * CPU to start, from the bundle a sixth of it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { workerBundle } from '../scripts/bundle-options.ts'
import { TEST_WORKER } from './worker-url.ts'

/** Below node_modules/, where native addons are found. */
const CACHE = resolve(import.meta.dirname, '..', 'node_modules', '.cache')

/** Builds and tells the processes of tests where; what it returns removes it again. */
export default async function setup(): Promise<() => void> {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'catalog-test-worker-'))
  await build({ ...workerBundle(folder), write: true })
  process.env[TEST_WORKER] = pathToFileURL(join(folder, 'worker.js')).href
  return () => rmSync(folder, { recursive: true, force: true })
}
