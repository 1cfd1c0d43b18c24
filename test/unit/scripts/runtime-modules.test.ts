import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { SELDOM_LOADED } from '../../../scripts/bundle-plugins.ts'
import { copyRuntimeModules } from '../../../scripts/runtime-modules.ts'

/** Outside the project: nothing is found in its node_modules. */
const folder = mkdtempSync(join(tmpdir(), 'catalog-runtime-'))
const modules = join(folder, 'node_modules')
afterAll(() => rmSync(folder, { recursive: true }))

describe('what the bundle loads while it runs', () => {
  it('is complete: every package loads without anything else', () => {
    copyRuntimeModules(modules)
    const addons = readdirSync(join(modules, '@chainsafe')).map(name => `@chainsafe/${name}`)
    expect(addons).toHaveLength(1)
    const names = ['classic-level/binding.js', ...addons, ...SELDOM_LOADED]
    const { stderr, status } = spawnSync(
      process.execPath,
      ['-e', names.map(name => `require(${JSON.stringify(name)})`).join(';')],
      { cwd: folder, encoding: 'utf8' }
    )
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  })

  it('is for this platform', () => {
    expect(readdirSync(join(modules, 'classic-level', 'prebuilds'))).toEqual([
      expect.stringContaining(`${process.platform}-${process.arch}`)
    ])
  })
})
