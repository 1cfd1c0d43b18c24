import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { onDisk, writeWhole } from '../../../cli/commands/whole-file.ts'

it.each([
  ['ENOSPC', 'DISK_FULL', /^free space/],
  ['EROFS', 'DISK_IO', /^give a file in a folder/],
  ['ENOENT', 'DISK_IO', /^give a file in a folder/]
])('a file that cannot be written (%s) is named, and nothing of it stays', async (errno, code, hint) => {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-whole-'))
  const file = join(folder, 'key.pem')
  const failing = async (): Promise<never> => {
    throw Object.assign(new Error(`${errno}: the system's words`), { code: errno })
  }
  try {
    await expect(writeWhole(file, () => onDisk(file, failing))).rejects.toMatchObject({
      code,
      message: `${file} cannot be written (${errno})`,
      hint: expect.stringMatching(hint)
    })
    expect(await readdir(folder)).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})
