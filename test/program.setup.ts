/**
 * Builds the program once for all tests that start processes: bundled as users run it, from the sources as they are now, in a
 * folder of its own below node_modules/, where its native addons are found and nobody else builds. A start takes a sixth of
 * the CPU time that it takes from the sources.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'

const ROOT = resolve(import.meta.dirname, '..')

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the script that is the command line and the daemon. */
    program: string
  }
}

/** Builds and tells the tests where; what it returns removes it again. */
export default function setup(project: TestProject): () => void {
  const folder = join(ROOT, 'node_modules', '.cache', `catalog-test-${process.pid}`)
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'bundle.ts'), folder])
  if (status !== 0) throw new Error(`the program was not built: ${stderr}`)
  if (!existsSync(join(folder, 'daemon.codecache'))) throw new Error(`no code cache was recorded: ${stderr}`)
  project.provide('program', join(folder, 'catalog.cjs'))
  return () => rmSync(folder, { recursive: true, force: true })
}
