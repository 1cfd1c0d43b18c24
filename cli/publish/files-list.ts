/**
 * What the `files` list of a package.json names, as npm reads it. An entry that is the name of a folder means all that is below it;
 * every other is a glob of minimatch, npm's own matcher (`{a,b}`, `!(a)`, hidden names like others, capitals like small
 * letters), and means files: one that fits a folder says nothing of what is in it. `!` takes away what an entry before it gave, a
 * folder with all that is in it, and without a slash anywhere. The last entry that says something of a path decides.
 */
import { lstatSync } from 'node:fs'
import path from 'node:path'
import { Minimatch, type MinimatchOptions } from 'minimatch'

/** Entries of a list: npm packages have a handful. */
const MAX_ENTRIES = 10_000
const OPTIONS: MinimatchOptions = { dot: true, nocase: true, nonegate: true, nocomment: true }
/** The whole folder, in the ways in which it is written. */
const ALL = new Set(['.', '*', '**'])

interface Entry {
  gives: boolean
  fits(relative: string): boolean
}

export class FilesList {
  readonly #entries: Entry[]
  /** Entries as they stand, without what only says that they begin at the top. */
  readonly names: ReadonlySet<string>

  constructor(root: string, files: readonly unknown[]) {
    const texts = files.filter(item => typeof item === 'string').slice(0, MAX_ENTRIES)
    this.#entries = texts.map(text => toEntry(root, text))
    this.names = new Set(texts.map(text => text.replace(/^\.?\/+/, '')))
  }

  has(relative: string): boolean {
    return this.#entries.findLast(({ fits }) => fits(relative))?.gives === true
  }
}

function toEntry(root: string, text: string): Entry {
  const marks = /^!*/.exec(text)?.[0].length ?? 0
  const written = text.slice(marks)
  const name = path.posix.normalize(written.replace(/^\/+/, '')).replace(/\/+$/, '')
  const gives = marks % 2 === 0
  if (ALL.has(name)) return { gives, fits: () => true }
  return { gives, fits: gives ? given(root, name) : taken(name, /^\.?\//.test(written)) }
}

function given(root: string, name: string): Entry['fits'] {
  if (lstatSync(path.join(root, name), { throwIfNoEntry: false })?.isDirectory())
    return relative => relative === name || relative.startsWith(`${name}/`)
  const glob = new Minimatch(name.endsWith('/*') ? `${name}*` : name, OPTIONS)
  return relative => glob.match(relative)
}

function taken(name: string, isAnchored: boolean): Entry['fits'] {
  const glob = new Minimatch(name, { ...OPTIONS, matchBase: !isAnchored })
  return relative => withFoldersAbove(relative).some(part => glob.match(part))
}

/** `a/b/c` is `a/b/c`, `a/b` and `a`. */
function withFoldersAbove(relative: string): string[] {
  const parts = [relative]
  for (let at = relative.lastIndexOf('/'); at > 0; at = relative.lastIndexOf('/', at - 1))
    parts.push(relative.slice(0, at))
  return parts
}
