import os from 'node:os'
import path from 'node:path'
import { CatalogError } from '../../base/index.ts'
import type { Io } from './io.ts'

/** The home: --home, else CATALOG_HOME, else the data folder of the platform. Absolute. */
export function resolveHome(io: Io, option: string | undefined): string {
  if (option === '')
    throw new CatalogError('INVALID_ARGUMENT', 'the path of the home is empty', {
      hint: 'for this folder, give --home .'
    })
  const chosen = option ?? (io.env.CATALOG_HOME === '' ? undefined : io.env.CATALOG_HOME)
  if (chosen !== undefined) return path.resolve(io.cwd, chosen)
  const userFolder = io.env.HOME ?? os.homedir()
  if (io.platform === 'darwin') return path.join(userFolder, 'Library', 'Application Support', 'catalog')
  const { XDG_DATA_HOME: dataFolder } = io.env
  // The XDG rules say that a relative path there is to be ignored.
  return dataFolder !== undefined && path.isAbsolute(dataFolder)
    ? path.join(dataFolder, 'catalog')
    : path.join(userFolder, '.local', 'share', 'catalog')
}
