import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../../..')
/** Imports that load at once; `import type` and `import()` do not. */
const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm

/** Everything that is loaded before the first line of a file runs: our files by path, packages by name. */
function loadedBy(entry: string): Set<string> {
  const loaded = new Set<string>()
  const visit = (file: string): void => {
    const name = path.relative(ROOT, file)
    if (loaded.has(name) || !existsSync(file)) return
    loaded.add(name)
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
      if (specifier.startsWith('.')) visit(path.resolve(path.dirname(file), specifier))
      else loaded.add(specifier)
    }
  }
  visit(path.join(ROOT, entry))
  return loaded
}

it('of every command loads the words and the client, not the node: each command loads its own part', () => {
  const loaded = [...loadedBy('cli/main.ts')]
  expect(loaded).toContain('cli/commands.ts')
  expect(loaded).toContain('commander')
  const parts = loaded.filter(name => /^(?:config|trust|library|protocols|discovery|node)\//.test(name))
  expect(parts).toEqual([])
  const packages = loaded.filter(name => !name.endsWith('.ts'))
  expect(
    packages.filter(name => name.includes('libp2p') || name === 'fastify' || name === 'classic-level')
  ).toEqual([])
  expect(loaded).not.toContain('cli/commands/publish.ts')
})
