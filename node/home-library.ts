/** Opens what a home holds: the daemon's own, and another home that contents are copied to. */
import { isAbsolute } from 'node:path'
import { CatalogError } from '../base/index.ts'
import { type Config, loadConfig } from '../config/index.ts'
import { type Library, type LibraryModules, openLibrary } from '../library/index.ts'
import { homeLockedError, isLockError } from './home/claim.ts'
import { openHome } from './home/home.ts'
import type { HomeLayout } from './home/layout.ts'
import { bucketOptions } from './s3-credentials.ts'
import { WORKER_URL } from './worker-url.ts'

/** With what is configured of its store. The lock is LevelDB's; who holds it is told by what its daemon wrote down. */
export async function openHomeLibrary(
  modules: LibraryModules,
  home: HomeLayout,
  { store: { quota, compression, backend }, 'store.s3': s3 }: Config
): Promise<Library> {
  const bucket = backend === 's3' ? await bucketOptions(s3, process.env) : undefined
  try {
    return await openLibrary(modules, {
      home: home.root,
      workerUrl: WORKER_URL,
      quotaBytes: quota,
      compression,
      bucket
    })
  } catch (error) {
    throw isLockError(error) ? await homeLockedError(home, error) : error
  }
}

/**
 * Another home that no daemon runs on, with the settings of its own file. INVALID_ARGUMENT for this one (`own`), which a lock of this
 * process would not keep out; HOME_MISSING, HOME_PERMISSIONS, HOME_LOCKED and whatever else keeps a daemon from it.
 */
export async function openOtherLibrary(
  modules: LibraryModules,
  root: string,
  own: HomeLayout
): Promise<{ home: HomeLayout; library: Library }> {
  if (!isAbsolute(root))
    throw new CatalogError('INVALID_ARGUMENT', `the home ${root} is not an absolute path`)
  const home = await openHome(root)
  if (home.root === own.root)
    throw new CatalogError('INVALID_ARGUMENT', `${root} is the home of this node itself`)
  const { values } = loadConfig({ file: home.config })
  return { home, library: await openHomeLibrary(modules, home, values) }
}
