/**
 * Of node_modules what the bundle loads while it runs, copied into the folder that is given: for the container image, which
 * then holds a twentieth of what `npm ci` installs. That is the native addons for this platform, and the packages
 * that stay outside for those who seldom need them (bundle-plugins.ts) with all that they depend on.
 */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { SELDOM_LOADED } from './bundle-plugins.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** Built for every platform, one folder each. */
const PREBUILDS = join('classic-level', 'prebuilds')

interface Manifest {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** Where Node finds the package for a file in `from`, if it is installed. */
function folderOf(name: string, from: string): string | undefined {
  for (let folder = from; folder.startsWith(ROOT); folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return found
  }
  return undefined
}

/** npm installs that for this platform alone. */
const quicAddons = (): string[] =>
  Object.keys(manifestOf(folderOf('@chainsafe/libp2p-quic', ROOT)!).optionalDependencies ?? {})

/** Folders of the packages and of everything that they depend on; what is optional and not there is passed over. */
export function closureOf(names: readonly string[], from: string, found = new Set<string>()): Set<string> {
  for (const name of names) {
    const folder = folderOf(name, from)
    if (folder === undefined || found.has(folder)) continue
    found.add(folder)
    closureOf(Object.keys(manifestOf(folder).dependencies ?? {}), folder, found)
  }
  return found
}

/** Copies them with their places in node_modules. */
export function copyRuntimeModules(target: string): void {
  const modules = join(ROOT, 'node_modules')
  for (const folder of closureOf(['classic-level', ...quicAddons(), ...SELDOM_LOADED], ROOT))
    cpSync(folder, join(target, relative(modules, folder)), {
      recursive: true,
      filter: path => isLoaded(relative(folder, path)) && isForHere(relative(modules, path))
    })
}

/** Packages inside it are copied for themselves, if at all; types, maps and C sources are read by no program. */
const isLoaded = (path: string): boolean =>
  !/(^|\/)node_modules(\/|$)|\.(d\.[cm]?ts|map)$|^deps(\/|$)/.test(path)

const isForHere = (path: string): boolean =>
  !path.startsWith(`${PREBUILDS}/`) || path.startsWith(join(PREBUILDS, `${process.platform}-${process.arch}`))

if (import.meta.main) {
  const target = process.argv[2]
  if (target === undefined) throw new Error('give the folder to copy to')
  copyRuntimeModules(resolve(target))
}
