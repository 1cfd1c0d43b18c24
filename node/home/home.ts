import { chmod, readdir, realpath, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CatalogError } from '../../base/index.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { CURRENT_FORMAT, type MigrateOptions, migrate, readFormat, writeFormat } from './format.ts'
import {
  checkPermissions,
  HOME_MODE,
  type HomeLayout,
  homeLayout,
  makeFolders,
  makeHomeFolder,
  modeOf
} from './layout.ts'

export interface CreateHomeOptions {
  /** Text of config.toml. */
  configText: string
  /** Makes the keys in a home whose folders exist: the node's and the publisher's. */
  makeKeys(home: HomeLayout): Promise<void>
}

/**
 * Makes a home where there is none: folders, config, keys, and FORMAT last, so that a home whose making was cut off is
 * no home yet and can be made again. HOME_EXISTS when there is one, or when the folder holds anything else. What fails takes
 * the folder away again if it has made it.
 */
export async function createHome(root: string, options: CreateHomeOptions): Promise<HomeLayout> {
  const home = homeLayout(resolve(root))
  if ((await modeOf(home.format)) !== undefined)
    throw new CatalogError('HOME_EXISTS', `${home.root} already holds a Catalog home`, {
      details: { home: home.root }
    })
  await refuseForeignFolder(home)
  const isOurs = makeHomeFolder(home.root)
  try {
    await fillHome(home, options)
  } catch (error) {
    // What another one left, or is just making, stays: there may be keys in it.
    if (isOurs && (await modeOf(home.format)) === undefined)
      await rm(home.root, { recursive: true, force: true })
    throw error
  }
  return home
}

async function fillHome(home: HomeLayout, options: CreateHomeOptions): Promise<void> {
  makeFolders(home)
  // An empty folder that was there may be open to others, and the daemon would refuse it.
  await chmod(home.root, HOME_MODE)
  await writeFileAtomic(home.config, options.configText, { durable: true })
  await options.makeKeys(home)
  await writeFormat(home, CURRENT_FORMAT)
}

/** What an unfinished `createHome` may have left. */
async function refuseForeignFolder(home: HomeLayout): Promise<void> {
  const known = new Set(Object.values(home).map(path => path.slice(home.root.length + 1)))
  const names = await readdir(home.root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const foreign = names.find(name => !known.has(name) && !name.endsWith('.new'))
  if (foreign !== undefined)
    throw new CatalogError(
      'HOME_EXISTS',
      `${home.root} holds ${foreign}, which is no part of a Catalog home`,
      {
        hint: 'give an empty folder, or one that does not exist',
        details: { home: home.root }
      }
    )
}

/**
 * Checks a home before a daemon runs on it: there is one, its format is known, it is this user's and nobody else can
 * read it; then migrates it. Touches nothing when a check fails.
 */
export async function openHome(root: string, options: MigrateOptions = {}): Promise<HomeLayout> {
  const home = homeLayout(await realpathOrSelf(resolve(root)))
  await readFormat(home)
  await checkPermissions(home)
  await migrate(home, options)
  makeFolders(home)
  return home
}

/** A home behind a symbolic link has one name, so that paths in messages and the socket's length are the real ones. */
async function realpathOrSelf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new CatalogError('HOME_MISSING', `${path} does not exist`, {
      details: { home: path },
      cause: error
    })
  }
}
