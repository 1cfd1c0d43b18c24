import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  type PackageToInstall,
  paddingBytes,
  TAR_END,
  type TarEntry,
  tarHead
} from '../../../library/index.ts'

/** An entry with the bytes of its file. */
export type Item = TarEntry & { bytes?: Buffer }

/** A tar stream of entries as they are: nothing is checked, so that it can be hostile. */
export function tarOf(items: Item[]): Buffer {
  const parts: Uint8Array[] = []
  for (const { bytes, ...entry } of items) {
    parts.push(tarHead(entry))
    if (bytes !== undefined) parts.push(bytes, Buffer.alloc(paddingBytes(bytes.length)))
  }
  return Buffer.concat([...parts, TAR_END])
}

export function file(name: string, text: string, mode = 0o644): Item {
  const bytes = Buffer.from(text)
  return { kind: 'file', path: name, mode, sizeBytes: bytes.length, bytes }
}

export function link(name: string, target: string): Item {
  return { kind: 'symlink', path: name, target }
}

/** The stream in pieces of `pieceBytes`. */
export async function* pieces(tar: Uint8Array, pieceBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < tar.length; at += pieceBytes) yield tar.subarray(at, at + pieceBytes)
}

/** What an install of these entries is called and says of itself. */
export function packageOf(name: string, version: string, items: Item[]): PackageToInstall {
  const files = items.filter(({ kind }) => kind === 'file')
  return {
    name,
    version,
    publisher: 'z6MkOwner',
    record: `bafyrecord${version}`,
    content: `bafycontent${version}`,
    sizeBytes: files.reduce((sum, item) => sum + (item.kind === 'file' ? item.sizeBytes : 0), 0),
    files: files.length
  }
}

/** What a folder holds, as a sorted list that two folders can be compared by. */
export function treeOf(root: string, relative = ''): string[] {
  return readdirSync(path.join(root, relative))
    .sort()
    .flatMap(name => {
      const entry = path.join(relative, name)
      const absolute = path.join(root, entry)
      const stats = lstatSync(absolute)
      const mode = (stats.mode & 0o7777).toString(8)
      if (stats.isSymbolicLink()) return [`${entry} -> ${readlinkSync(absolute)}`]
      if (stats.isDirectory()) {
        const below = treeOf(root, entry)
        return below.length === 0 ? [`${entry}/ ${mode}`] : below
      }
      return [`${entry} ${mode} ${readFileSync(absolute).toString('base64')}`]
    })
}

export function temporaryFolder(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'install-'))
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Writes a tree of `path: text`, `path: -> target` or `path/`. */
export function writeTree(root: string, tree: Record<string, string | { text: string; mode: number }>): void {
  for (const [name, value] of Object.entries(tree)) {
    const absolute = path.join(root, name)
    const { text, mode } = typeof value === 'string' ? { text: value, mode: 0o644 } : value
    mkdirSync(name.endsWith('/') ? absolute : path.dirname(absolute), { recursive: true })
    if (name.endsWith('/')) continue
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), absolute)
    else {
      writeFileSync(absolute, text)
      chmodSync(absolute, mode)
    }
  }
}

/** Files of one version in the kill test: enough to be killed among them, each with the version in it. */
export function versionItems(major: number): Item[] {
  return Array.from({ length: 60 }, (_, index) =>
    file(`dir${index % 7}/file${index}`, `${major} `.repeat(200))
  )
}

export function killedPackage(major: number): PackageToInstall {
  return packageOf('tool', `${major}.0.0`, versionItems(major))
}
