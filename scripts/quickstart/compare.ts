/** Compares two folders entry by entry: kinds, modes, link targets and every byte. */
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

export interface Comparison {
  files: number
  bytes: number
  differences: string[]
}

const PERMISSIONS = 0o777

const kindOf = (stat: Awaited<ReturnType<typeof lstat>>): string =>
  stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : stat.isFile() ? 'file' : 'other'

export const compareFolders = async (left: string, right: string): Promise<Comparison> => {
  const result: Comparison = { files: 0, bytes: 0, differences: [] }
  await compareEntry(left, right, '.', result)
  return result
}

const compareEntry = async (left: string, right: string, path: string, result: Comparison): Promise<void> => {
  const [a, b] = await Promise.all([lstat(join(left, path)), lstat(join(right, path))])
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return void result.differences.push(`${path}: ${kind} and ${kindOf(b)}`)
  if (kind === 'folder') return compareChildren(left, right, path, result)
  if (kind === 'link') {
    const [from, to] = await Promise.all([readlink(join(left, path)), readlink(join(right, path))])
    if (from !== to) result.differences.push(`${path}: link to ${from} and to ${to}`)
    return
  }
  if ((a.mode & PERMISSIONS) !== (b.mode & PERMISSIONS)) result.differences.push(`${path}: modes differ`)
  const [x, y] = await Promise.all([readFile(join(left, path)), readFile(join(right, path))])
  if (!x.equals(y)) result.differences.push(`${path}: bytes differ`)
  result.files++
  result.bytes += x.length
}

const compareChildren = async (
  left: string,
  right: string,
  path: string,
  result: Comparison
): Promise<void> => {
  const [ours, theirs] = await Promise.all([readdir(join(left, path)), readdir(join(right, path))])
  const there = new Set(theirs)
  for (const name of ours) {
    if (there.delete(name)) await compareEntry(left, right, join(path, name), result)
    else result.differences.push(`${join(path, name)}: only in the original`)
  }
  for (const name of there) result.differences.push(`${join(path, name)}: only in the copy`)
}
