import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CatalogError, makeFolder, toCatalogError } from '../../base/index.ts'

/** Only the owner may look into a home: it holds keys and the admin socket. */
export const HOME_MODE = 0o700
/** Keys and state of the daemon. */
export const PRIVATE_FILE_MODE = 0o600
/** In the folder of a home that a restore makes, where it is made before it is one. */
export const RESTORING_FOLDER = 'restoring'
/** Any of these bits lets other users in. */
const OTHERS = 0o077

/** Absolute paths of everything in a home (docs/operations.md). */
export interface HomeLayout {
  readonly root: string
  readonly config: string
  readonly nodeKey: string
  readonly keyring: string
  /** The node's LevelDB. Its lock is the lock on the home. */
  readonly database: string
  /** libp2p's own LevelDB. */
  readonly peers: string
  readonly segments: string
  readonly logs: string
  readonly socket: string
  readonly format: string
  /** Who runs on this home: written by the daemon, removed when it stops. */
  readonly claim: string
}

export function homeLayout(root: string): HomeLayout {
  return {
    root,
    config: join(root, 'config.toml'),
    nodeKey: join(root, 'node.key'),
    keyring: join(root, 'keyring'),
    database: join(root, 'db'),
    peers: join(root, 'peers'),
    segments: join(root, 'segments'),
    logs: join(root, 'logs'),
    socket: join(root, 'admin.sock'),
    format: join(root, 'FORMAT'),
    claim: join(root, 'daemon.json')
  }
}

/** What the system answers where this user cannot make a folder; ENOENT is that of file systems that make none, such as /proc. */
const NOT_MAKEABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST']

/** Makes the folders of a home, 0700 each; those that exist stay as they are. HOME_PERMISSIONS, DISK_FULL, DISK_IO. */
export function makeFolders(layout: HomeLayout): void {
  for (const folder of [
    layout.root,
    layout.keyring,
    layout.database,
    layout.peers,
    layout.segments,
    layout.logs
  ])
    makeHomeFolder(folder)
}

/** True when it was not there. HOME_PERMISSIONS, DISK_FULL, DISK_IO. */
export function makeHomeFolder(folder: string): boolean {
  try {
    return makeFolder(folder, HOME_MODE)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!NOT_MAKEABLE.includes(code)) throw toCatalogError(error)
    throw new CatalogError('HOME_PERMISSIONS', `the folder ${folder} cannot be made (${code})`, {
      details: { path: folder },
      hint: 'give a --home in a folder that this user may write',
      cause: error
    })
  }
}

/**
 * HOME_PERMISSIONS when another user could read the home or a key in it (details: path, mode), or owns it (details: path,
 * owner): root may use any home, and would leave files in it that its owner could not read.
 */
export async function checkPermissions(
  layout: HomeLayout,
  user: number | undefined = process.getuid?.()
): Promise<void> {
  for (const path of [layout.root, layout.nodeKey, layout.keyring]) {
    const mode = await modeOf(path)
    if (mode === undefined || (mode & OTHERS) === 0) continue
    const octal = (mode & 0o777).toString(8)
    throw new CatalogError('HOME_PERMISSIONS', `${path} has mode ${octal}: other users can read it`, {
      details: { path, mode: octal },
      hint: `chmod go-rwx ${path}`
    })
  }
  const path = layout.nodeKey
  const owner = (await statOf(path))?.uid
  if (owner !== undefined && user !== undefined && owner !== user)
    throw new CatalogError('HOME_PERMISSIONS', `${path} belongs to user ${owner}, and this is user ${user}`, {
      details: { path, owner },
      hint: `run this as user ${owner}`
    })
}

/** Permission bits of a path, undefined when nothing is there. */
export async function modeOf(path: string): Promise<number | undefined> {
  return (await statOf(path))?.mode
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
