/** What the quickstart publishes: the folder given on the command line, else the TypeScript compiler that `npm ci` installed. */
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const MODULES = join(fileURLToPath(new URL('../..', import.meta.url)), 'node_modules')

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isDirectory(),
    () => false
  )

export const chooseFolder = async (): Promise<string> => {
  const given = process.argv[2]
  if (given !== undefined) {
    if (!(await isFolder(given))) throw new Error(`${given} is not a folder`)
    return resolve(given)
  }
  // TypeScript 7 keeps its compiler (27 MB) in a package for the platform; `typescript` itself is small.
  const native = join(MODULES, '@typescript', `typescript-${process.platform}-${process.arch}`)
  return (await isFolder(native)) ? native : join(MODULES, 'typescript')
}
