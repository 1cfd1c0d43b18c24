/** Contents of random bytes, of which no two chunks are alike, and their comparison byte by byte. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { extract } from 'tar-stream'
import type { Random } from './random.ts'

export type Files = Record<string, Buffer>

/** Files in some folders that are `sizeBytes` together: one of about half, the others smaller and smaller. */
export function randomFiles(random: Random, sizeBytes: number, count: number): Files {
  const files: Files = {}
  let left = sizeBytes
  for (let index = 0; index < count; index++) {
    const size = index === count - 1 ? left : Math.floor(left * (0.3 + random.fraction() / 4))
    files[`d${index % 3}/f${index}.bin`] = random.bytes(size)
    left -= size
  }
  return files
}

export function sizeOf(files: Files): number {
  return Object.values(files).reduce((sum, bytes) => sum + bytes.length, 0)
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
}

/** How the files of a tar stream differ from what they should be: nothing when all bytes of all files are equal. */
export async function differences(tar: Buffer, files: Files): Promise<string[]> {
  const found: string[] = []
  const missing = new Set(Object.keys(files))
  const reader = extract()
  reader.end(tar)
  for await (const entry of reader) {
    const parts: Buffer[] = []
    for await (const part of entry) parts.push(part as Buffer)
    const { name } = entry.header
    if (!missing.delete(name)) found.push(`${name} is not of this content`)
    else if (!Buffer.concat(parts).equals(files[name]!)) found.push(`${name} has other bytes`)
  }
  for (const name of missing) found.push(`${name} is missing`)
  return found
}
