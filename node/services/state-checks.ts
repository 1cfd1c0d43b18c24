/** Checks of what a home holds that cannot be seen from outside: keys, blocks, limits of the system, backups. */
import { readFile } from 'node:fs/promises'
import { type Clock, DAY_MS, displayDuration, displaySize, plural } from '../../base/index.ts'
import type { BlockLook } from '../../library/index.ts'
import { Keyring, loadNodeKey } from '../../trust/index.ts'
import type { LastBackup } from '../backup/last-backup.ts'
import { type HomeLayout, modeOf } from '../home/layout.ts'
import { bad, type Finding, ok, warn } from './machine-checks.ts'
import { peerOf } from './writer-key.ts'

/** Blocks that are hashed without --full: some MB, a fraction of a second. */
export const SAMPLE_BLOCKS = 64
/** After it the last backup is old. */
const OLD_BACKUP_MS = 30 * DAY_MS
/**
 * Files that a busy daemon has open: 300 connections over TCP, 512 of the admin socket, 256 tables of the database, 64 segments, and
 * what libp2p and Node have beside.
 */
const WANTED_OPEN_FILES = 2048

/** The keys can be read, by this user, and are keys. Throws what is wrong with one. */
export async function keysCheck({ clock }: { clock: Clock }, home: HomeLayout): Promise<Finding> {
  const { key } = await loadNodeKey(home.nodeKey)
  // Opening would make one.
  if ((await modeOf(home.keyring)) === undefined)
    return bad(`${home.keyring} is missing`, 'restore it from a backup of the home')
  const keyring = await Keyring.open({ clock }, { folder: home.keyring })
  const keys = await keyring.list()
  const node = `the node is ${peerOf(key.publicKey)}`
  if (keys.length === 0) return ok(`${node}; no publisher key, so nothing is published from here`)
  const main = keys.find(({ isDefault }) => isDefault)
  if (main === undefined)
    return warn(
      `${node}; ${plural(keys.length, 'publisher key')}, none of them the default`,
      'see `catalog key list`, and name one with `--key` when publishing'
    )
  const plain = keys.filter(({ encrypted }) => !encrypted).length
  const protection = plain === 0 ? 'all under a passphrase' : `${plain} without a passphrase`
  return ok(`${node}; ${plural(keys.length, 'publisher key')}, ${protection}; the default is ${main.name}`)
}

/** Whether blocks are where the index says. `isFull`: all were looked at. */
export function blocksCheck({ blocks, bad: damaged }: BlockLook, isFull: boolean): Finding {
  const seen = `${plural(blocks, 'block')} ${isFull ? 'hashed, which is all' : 'of the store hashed as a sample'}`
  if (damaged === 0) return ok(`${seen}: as the index says`)
  return bad(
    `${seen}: ${damaged} damaged or gone`,
    'run `catalog verify --all --repair` with the daemon: it names them and fetches what is wrong from other nodes. A disk that rots once does so again'
  )
}

/** Undefined where the system does not say. */
export async function openFilesLimit(): Promise<number | undefined> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /^Max open files +(\d+|unlimited)/m.exec(text)?.[1]
  return soft === undefined ? undefined : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

export function limitsCheck(openFiles: number | undefined): Finding {
  if (openFiles === undefined) return ok('this system does not say how many files a process may open')
  const message = `a process may open ${openFiles === Number.POSITIVE_INFINITY ? 'any number of' : openFiles} files`
  if (openFiles >= WANTED_OPEN_FILES) return ok(message)
  return warn(
    `${message}: a busy daemon may need ${WANTED_OPEN_FILES}`,
    'raise it with `ulimit -n`, or LimitNOFILE= of the service'
  )
}

/** `hasContents`: there is something that would be lost. */
export function backupCheck(last: LastBackup | undefined, hasContents: boolean, nowMs: number): Finding {
  if (last === undefined)
    return hasContents
      ? warn('this home was never backed up', 'run `catalog backup FILE`; the node may run meanwhile')
      : ok('nothing to back up but the keys')
  const ageMs = Math.max(0, nowMs - Date.parse(last.createdAt))
  const message = `the last backup is ${displayDuration(ageMs)} old, of ${last.createdAt}, ${displaySize(last.sizeBytes)}`
  return ageMs < OLD_BACKUP_MS ? ok(message) : warn(message, 'run `catalog backup FILE`')
}
