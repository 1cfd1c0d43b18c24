/**
 * What of a folder is published.
 *
 * With a `.catalogignore` in the folder, its rules hold (gitignore syntax; files of the same name in folders below add to
 * them) and nothing else is left out but version control and the ignore files themselves. Without one the folder is
 * read as npm reads a package: a `files` list in package.json names what is in, else `.npmignore` (else `.gitignore`),
 * in each folder, names what is out; `node_modules` at the top and the usual litter are out; package.json, readme,
 * licence, `main` and `bin` are always in. Bounded on purpose: no bundled dependencies, no workspaces, and patterns of ignore
 * files are those of gitignore, with npm's `{a,b}`. Unlike npm, symbolic links and empty folders are kept.
 */
import path from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { braceExpand } from 'minimatch'
import { MIB } from '../../base/index.ts'
import { FilesList } from './files-list.ts'
import { readSmallFile } from './small-file.ts'

export const CATALOG_IGNORE = '.catalogignore'
/** A file of rules is a few lines; this bounds what is read as one. */
const RULES_MAX_BYTES = MIB

/** Never part of a release, whatever the rules. */
const ALWAYS_OUT = ['.git', '.hg', '.svn', 'CVS', CATALOG_IGNORE]
/** What npm leaves out unless a rule says otherwise. */
const NPM_OUT = [
  '.npmignore',
  '.gitignore',
  '/.lock-wscript',
  '/.wafpickle-*',
  '/build/config.gypi',
  'npm-debug.log',
  '.npmrc',
  '.*.swp',
  '.DS_Store',
  '._*',
  '*.orig',
  '/package-lock.json',
  '/yarn.lock',
  '/pnpm-lock.yaml',
  '/archived-packages/**'
]
/** Always in, anywhere, as npm does it: `README.de.md`, `docs/LICENSE`. */
const MUST_HAVE = /^(?:readme|copying|licence|license)(?:\..*[^~$])?$/i

export interface Rules {
  /** Called for each folder before its entries are asked for, so that its own ignore files are read. */
  enter(folder: string, names: string[]): void
  /** True when nothing at or below this folder can be in. `relative` has no slash at its end. */
  skipsFolder(relative: string): boolean
  /** True when this file or link, or this empty folder, is in. */
  includes(relative: string, isFolder: boolean): boolean
}

/** Reads the rules that hold in a folder. `names` are the entries at its top. */
export function readRules(root: string, names: string[]): Rules {
  if (names.includes(CATALOG_IGNORE)) return new IgnoreRules(root, [CATALOG_IGNORE], [])
  const manifest = names.includes('package.json') ? readManifest(path.join(root, 'package.json')) : undefined
  const files = manifest?.files
  if (Array.isArray(files)) return new FilesRules(root, files, manifest)
  return new IgnoreRules(root, ['.npmignore', '.gitignore'], NPM_OUT, manifest)
}

/** Rules that name what is out: each folder's ignore file adds to those above it, the nearest one decides. */
class IgnoreRules implements Rules {
  readonly #root: string
  readonly #fileNames: string[]
  readonly #npm: boolean
  readonly #always = ignore().add(ALWAYS_OUT)
  readonly #builtIn: Ignore
  readonly #required: Set<string>
  /** Rules of a folder, by its relative path; the root's is ''. */
  readonly #byFolder = new Map<string, Ignore>()

  constructor(root: string, fileNames: string[], builtIn: string[], manifest?: PackageManifest) {
    this.#root = root
    this.#fileNames = fileNames
    this.#npm = builtIn.length > 0
    this.#builtIn = ignore().add(builtIn)
    this.#required = requiredFiles(manifest)
  }

  enter(folder: string, names: string[]): void {
    const name = this.#fileNames.find(candidate => names.includes(candidate))
    if (name === undefined) return
    const text = readSmallFile(path.join(this.#root, folder, name), RULES_MAX_BYTES)
    if (text !== undefined)
      this.#byFolder.set(folder, ignore().add(this.#npm ? withAlternatives(text) : text))
  }

  skipsFolder(relative: string): boolean {
    if (this.#always.ignores(`${relative}/`)) return true
    if (this.#npm && relative === 'node_modules') return true
    if ([...this.#required].some(file => file.startsWith(`${relative}/`))) return false
    return this.#ignored(`${relative}/`)
  }

  includes(relative: string, isFolder: boolean): boolean {
    if (this.#always.ignores(relative)) return false
    if (!isFolder && this.#npm && (this.#required.has(relative) || MUST_HAVE.test(path.basename(relative))))
      return true
    return !this.#ignored(isFolder ? `${relative}/` : relative)
  }

  /** From the built-in rules and the root's down to the nearest folder's: the last rule that says anything decides. */
  #ignored(relative: string): boolean {
    let ignored = this.#builtIn.ignores(relative)
    const bare = relative.endsWith('/') ? relative.slice(0, -1) : relative
    for (const folder of foldersAbove(bare)) {
      const rules = this.#byFolder.get(folder)
      if (rules === undefined) continue
      const verdict = rules.test(folder === '' ? relative : relative.slice(folder.length + 1))
      if (verdict.ignored) ignored = true
      else if (verdict.unignored) ignored = false
    }
    return ignored
  }
}

/** Each line with `{a,b}` as the lines that it stands for, which gitignore does not know and npm does. */
function withAlternatives(text: string): string {
  return text
    .split(/\r?\n/)
    .flatMap(line => (line.includes('{') && !line.startsWith('#') ? braceExpand(line) : [line]))
    .join('\n')
}

/** Rules that name what is in: the `files` list of package.json. A nested ignore file still takes away. */
class FilesRules implements Rules {
  readonly #list: FilesList
  readonly #exact: Set<string>
  readonly #nested: IgnoreRules
  readonly #always = ignore().add(ALWAYS_OUT)

  constructor(root: string, files: unknown[], manifest: PackageManifest | undefined) {
    this.#list = new FilesList(root, files)
    this.#exact = new Set([...requiredFiles(manifest), ...this.#list.names])
    this.#nested = new IgnoreRules(root, ['.npmignore', '.gitignore'], NPM_OUT, manifest)
  }

  enter(folder: string, names: string[]): void {
    // The list stands in place of the ignore files at the top.
    if (folder !== '') this.#nested.enter(folder, names)
  }

  skipsFolder(relative: string): boolean {
    return this.#always.ignores(`${relative}/`) || relative === 'node_modules'
  }

  includes(relative: string, isFolder: boolean): boolean {
    if (this.#always.ignores(relative)) return false
    if (isFolder) return this.#list.has(relative) && this.#nested.includes(relative, true)
    if (relative === 'package-lock.json') return false
    if (this.#exact.has(relative)) return true
    const isMustHave = MUST_HAVE.test(path.basename(relative))
    if (isMustHave && !relative.includes('/')) return true
    return this.#list.has(relative) && this.#nested.includes(relative, false)
  }
}

interface PackageManifest {
  files?: unknown
  main?: unknown
  browser?: unknown
  bin?: unknown
}

function requiredFiles(manifest: PackageManifest | undefined): Set<string> {
  if (manifest === undefined) return new Set()
  const bin =
    typeof manifest.bin === 'object' && manifest.bin !== null ? Object.values(manifest.bin) : [manifest.bin]
  const named = [manifest.main, manifest.browser, ...bin].filter(item => typeof item === 'string')
  return new Set([
    'package.json',
    'npm-shrinkwrap.json',
    ...named.map(file => path.posix.normalize(file).replace(/^\/+/, ''))
  ])
}

function readManifest(file: string): PackageManifest | undefined {
  const text = readSmallFile(file, RULES_MAX_BYTES)
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    // A package.json that is not JSON (a template, say) has no rules in it; the defaults of `publish` report it.
    return undefined
  }
}

/** `a/b/c` is below '', `a` and `a/b`. */
function foldersAbove(relative: string): string[] {
  const folders = ['']
  for (let at = relative.indexOf('/'); at !== -1; at = relative.indexOf('/', at + 1))
    folders.push(relative.slice(0, at))
  return folders
}
