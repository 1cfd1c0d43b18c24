import { build, type Plugin } from 'esbuild'
import { expect, it } from 'vitest'
import { leftOut, plainOrder } from '../../../scripts/bundle-plugins.ts'

it.each<[string, Plugin, string]>([
  ['left out', leftOut, 'light-my-request'],
  ['patched', plainOrder, 'localeCompare']
])('fails a build in which nothing is met that is to be %s', async (_what, plugin, part) => {
  const stdin = { contents: 'export const one = 1', resolveDir: import.meta.dirname }
  await expect(build({ stdin, write: false, logLevel: 'silent', plugins: [plugin] })).rejects.toThrow(part)
})
