/** Key files are on disk before they are answered: what is written, synced and renamed, in this order. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const calls = vi.hoisted((): string[] => [])

/** The real file system, with each operation that matters noted when it is over. */
vi.mock('node:fs/promises', async importOriginal => {
  const real = await importOriginal<typeof import('node:fs/promises')>()
  const kindOf = (path: unknown): string => (String(path).endsWith('.tmp') ? 'temporary' : 'folder')
  return {
    ...real,
    open: async (path: string, ...rest: [string, number]) => {
      const file = await real.open(path, ...rest)
      const note =
        <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          const result = await call.apply(file, args)
          calls.push(`${name} ${kindOf(path)}`)
          return result
        }
      file.writeFile = note('write', file.writeFile) as typeof file.writeFile
      file.sync = note('sync', file.sync)
      return file
    },
    rename: async (from: string, to: string) => {
      await real.rename(from, to)
      calls.push('rename')
    },
    link: async (from: string, to: string) => {
      await real.link(from, to)
      calls.push('link')
    }
  }
})

const { writePrivateFile } = await import('../../../trust/files.ts')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-durability-'))
  calls.length = 0
})
afterEach(() => rm(folder, { recursive: true }))

test.each([
  [true, 'rename'],
  [false, 'link']
])(
  'a key file (replace: %s) is synced before it gets its name, and its name before the answer',
  async (replace, naming) => {
    const path = join(folder, 'key')
    expect(await writePrivateFile(path, Buffer.from('secret'), { replace })).toBe(true)
    expect(calls).toEqual(['write temporary', 'sync temporary', naming, 'sync folder'])
    expect(await readFile(path, 'utf8')).toBe('secret')
  }
)
