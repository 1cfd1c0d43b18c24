import { crc32 } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import { expect, it } from 'vitest'
import {
  leftOut,
  nodeModules,
  ownPackage,
  packedPrefixes,
  plainOrder
} from '../../../scripts/bundle-plugins.ts'

it.each<[string, Plugin, string]>([
  ['left out', leftOut, 'light-my-request'],
  ['patched', plainOrder, 'localeCompare'],
  ['packed', packedPrefixes, 'generated-prefix-list'],
  ['written in', ownPackage, 'ssdp.js']
])('fails a build in which nothing is met that is to be %s', async (_what, plugin, part) => {
  const stdin = { contents: 'export const one = 1', resolveDir: import.meta.dirname }
  await expect(build({ stdin, write: false, logLevel: 'silent', plugins: [plugin] })).rejects.toThrow(part)
})

/** What a bundle of `source` exports. */
async function bundled<T>(source: string, plugins: Plugin[]): Promise<T> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins
  })
  const text = Buffer.from(outputFiles[0]!.contents).toString('base64')
  return (await import(`data:text/javascript;base64,${text}`)) as T
}

it('packs the prefixes of kad-dht without changing one', async () => {
  const path = '../../../node_modules/@libp2p/kad-dht/dist/src/routing-table/generated-prefix-list.js'
  const original = ((await import(path)) as { default: number[] }).default
  const source = `export { default as packed } from ${JSON.stringify(path)}`
  const { packed } = await bundled<{ packed: number[] }>(source, [packedPrefixes])
  expect(original).toHaveLength(65_536)
  expect(original.map((_, at) => packed[at])).toEqual(original)
})

it('reads a module of Node that is seldom used when it is first needed', async () => {
  const { crc, given } = await bundled<{ crc: (text: string) => number; given: typeof process }>(
    `import { crc32 } from 'node:zlib'
     export const given = globalThis.process
     export const crc = text => crc32(text)`,
    [nodeModules]
  )
  const read: string[] = []
  const getBuiltinModule = given.getBuiltinModule
  given.getBuiltinModule = ((name: string) => {
    read.push(name)
    return getBuiltinModule(name)
  }) as typeof getBuiltinModule
  try {
    expect(crc('catalog')).toBe(crc32('catalog'))
  } finally {
    given.getBuiltinModule = getBuiltinModule
  }
  expect(read).toEqual(['zlib'])
})

it('fails a build that would look for the package.json of a package beside the bundle', async () => {
  const contents = `import { createRequire } from 'node:module'
    export const other = createRequire(import.meta.url)('../../package.json')`
  const stdin = { contents, resolveDir: import.meta.dirname }
  const built = build({ stdin, write: false, logLevel: 'silent', plugins: [ownPackage] })
  await expect(built).rejects.toThrow('a package.json beside')
})
