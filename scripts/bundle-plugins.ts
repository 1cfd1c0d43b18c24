/**
 * What the bundle does beyond putting files together, all for the start and the memory of a daemon that waits: Node's
 * modules are taken without the cost of importing them, addons stay files, code that never runs is left out, what a package
 * reads of its own package.json is written in, and no collation tables are loaded to compare ASCII.
 */
import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'

const require = createRequire(import.meta.url)
/**
 * Loaded when first used: fastify asks for the first two and serves a unix socket with neither, 4 MB; commander would start
 * programs, the log would compress, and blocks come and go only when somebody fetches: 4 ms.
 */
const SELDOM_USED = ['http2', 'https', 'child_process', 'zlib']

const exportsOf = (builtin: string): string[] =>
  Object.keys(require(builtin) as object).filter(name => name !== 'default')

/**
 * Node's own way of importing a module reads every export of it, and with some, such as the WebSocket of `node:http`,
 * that loads whole libraries: 40 ms and 13 MB at every start. Here only the exports that are used are read.
 */
export const nodeModules: Plugin = {
  name: 'node-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?[a-z_0-9]+(\/[a-z]+)*$/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined
      const name = path.replace('node:', '')
      if (SELDOM_USED.includes(name)) return { path: name, namespace: 'node-seldom' }
      return kind === 'import-statement' ? { path, namespace: 'node' } : undefined
    })
    onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => {
      const module = `process.getBuiltinModule('${path}')`
      const exported = exportsOf(path).map(
        name => `export const ${name} = /* @__PURE__ */ (() => ${module}.${name})()`
      )
      return { contents: [`export default ${module}`, ...exported].join('\n') }
    })
    onLoad({ filter: /.*/, namespace: 'node-seldom' }, ({ path }) => {
      const module = `process.getBuiltinModule('${path}')`
      const getters = exportsOf(path).map(name => `get ${name}() { return ${module}.${name} }`)
      return { contents: `module.exports = {${getters.join()}}` }
    })
  }
}

/**
 * classic-level finds its addon beside the file that loads it, so that file stays outside. The addon of libp2p-quic is a
 * package of its own, found from dist/ as well.
 */
export const addons: Plugin = {
  name: 'addons',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      importer.includes('/classic-level/') ? { path: 'classic-level/binding.js', external: true } : undefined
    )
  }
}

/** 0.9 MB in each bundle, for the few nodes whose segments stand in a bucket, and 1.2 MB for those who draw a topology. */
export const SELDOM_LOADED: readonly string[] = ['@aws-sdk/client-s3', '@viz-js/viz']
const SELDOM_LOADED_FILTER = new RegExp(`^(${SELDOM_LOADED.join('|')})$`)

/** Packages that stay in node_modules and are loaded when the first of their importers runs. */
export const seldomLoaded: Plugin = {
  name: 'seldom-loaded',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: SELDOM_LOADED_FILTER }, ({ path, namespace }) =>
      namespace === 'seldom-loaded' ? { path, external: true } : { path, namespace: 'seldom-loaded' }
    )
    // CommonJS, because esbuild moves the imports of ES modules to the head of the file, where they load at once.
    onLoad({ filter: SELDOM_LOADED_FILTER, namespace: 'seldom-loaded' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`
    }))
  }
}

/**
 * Code that this program never calls: fastify's compilers (node/admin/app.ts gives it others) and its injection of
 * requests, prom-client's own process metrics, cluster and push gateway. Together 900 kB.
 */
const LEFT_OUT =
  /(@fastify\/(ajv-compiler|fast-json-stringify-compiler)|light-my-request|prom-client\/lib\/(defaultMetrics|cluster|pushgateway)\.js$)/

/** What of it must be met in a build: with another layout of these packages nothing would be left out, without a word. */
const MUST_MEET = [
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
  'prom-client/lib/defaultMetrics.js',
  'prom-client/lib/cluster.js',
  'prom-client/lib/pushgateway.js'
]

export const leftOut: Plugin = {
  name: 'left-out',
  setup({ onStart, onLoad, onEnd }) {
    const met = new Set<string>()
    onStart(() => met.clear())
    onLoad({ filter: LEFT_OUT }, ({ path }) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      met.add(name)
      return { contents: `module.exports = () => { throw new Error('${name} is not in the bundle') }` }
    })
    onEnd(() => failFor(MUST_MEET.filter(wanted => ![...met].some(name => name.startsWith(wanted)))))
  }
}

/** Fails the build for each part that a patch was made for and did not meet. */
function failFor(unmet: readonly string[]): { errors: Array<{ text: string }> } {
  return {
    errors: unmet.map(part => ({ text: `the patch of ${part} in bundle-plugins.ts matches nothing` }))
  }
}

const LOCALE_COMPARE = /([\w.]+(?:\(\))?)\.localeCompare\(([\w.]+(?:\(\))?)\)/g

/**
 * The peer store sorts ASCII, only to compare lists, with `localeCompare`, which makes Node load its collation tables:
 * 3 MB and 10 ms. Any order does.
 */
export const plainOrder: Plugin = {
  name: 'plain-order',
  setup({ onStart, onLoad, onEnd }) {
    let patched = 0
    let missed: string[] = []
    onStart(() => {
      patched = 0
      missed = []
    })
    onLoad({ filter: /@libp2p\/peer-(store|record)\/dist\/src\/.*\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const contents = source.replaceAll(LOCALE_COMPARE, '($1 < $2 ? -1 : $1 > $2 ? 1 : 0)')
      if (contents !== source) patched++
      if (contents.includes('localeCompare')) missed.push(path)
      return { contents }
    })
    onEnd(() => failFor(patched === 0 ? ['localeCompare'] : missed.map(path => `localeCompare in ${path}`)))
  }
}

const PREFIX_BYTES = 3

/**
 * kad-dht brings 65,536 numbers to make a peer id for each part of the key space, of which it needs one at a time: as
 * text they take half the memory, and no time at the start.
 */
export const packedPrefixes: Plugin = {
  name: 'packed-prefixes',
  setup({ onStart, onLoad, onEnd }) {
    let isMet = false
    onStart(() => {
      isMet = false
    })
    onLoad({ filter: /kad-dht\/dist\/src\/routing-table\/generated-prefix-list\.js$/ }, async ({ path }) => {
      isMet = true
      const { default: prefixes } = (await import(path)) as { default: number[] }
      const bytes = Buffer.alloc(prefixes.length * PREFIX_BYTES)
      for (const [at, prefix] of prefixes.entries())
        bytes.writeUIntBE(prefix, at * PREFIX_BYTES, PREFIX_BYTES)
      return { contents: prefixList(bytes.toString('base64')) }
    })
    onEnd(() => failFor(isMet ? [] : ['generated-prefix-list.js']))
  }
}

/** Three bytes are four characters of base64, so each number stands by itself. */
const prefixList = (text: string): string => `
  const text = '${text}'
  const prefix = at => Buffer.from(text.slice(at * 4, at * 4 + 4), 'base64').readUIntBE(0, ${PREFIX_BYTES})
  export default new Proxy([], { get: (_, at) => prefix(Number(at)) })
`

const OWN_PACKAGE = /\w+\('\.\.\/\.\.\/package\.json'\)/
/** A relative package.json that is still read by what was built would be looked for beside dist/. */
const READS_OWN_PACKAGE = /["']\.\.\/[./]*package\.json["']/

/** The search for routers reads its own name and version from its package.json when it is loaded; here they are written in. */
export const ownPackage: Plugin = {
  name: 'own-package',
  setup({ onStart, onLoad, onEnd }) {
    let isMet = false
    onStart(() => {
      isMet = false
    })
    onLoad({ filter: /@achingbrain\/ssdp\/dist\/src\/ssdp\.js$/ }, async ({ path }) => {
      const { name, version } = JSON.parse(await readFile(join(dirname(path), '../../package.json'), 'utf8'))
      const source = await readFile(path, 'utf8')
      const contents = source.replace(OWN_PACKAGE, JSON.stringify({ name, version }))
      isMet = contents !== source
      return { contents }
    })
    onEnd(({ outputFiles = [] }) => {
      const readers = outputFiles.filter(
        ({ path, text }) => !path.endsWith('.map') && READS_OWN_PACKAGE.test(text)
      )
      return failFor([
        ...(isMet ? [] : ['ssdp.js']),
        ...readers.map(({ path }) => `a package.json beside ${path}`)
      ])
    })
  }
}
