/**
 * Homes with very many records, kept in the folder of temporary files between runs: filling one with a million takes minutes. The key of
 * the node whose library it is stands beside the database, as the name of the copy comes from it.
 */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNodeKey, loadNodeKey } from '../../trust/index.ts'
import { fillBoth, followFilled } from './bulk-library.ts'

const KEY_FILE = 'node.key'
const DATABASE = 'db'

/** The folder of a home that has so many records, made if it is not there. */
export const filledHome = async (records: number): Promise<string> => {
  const folder = join(tmpdir(), `catalog-bench-filled-${records}`)
  if (existsSync(folder)) return folder
  const making = `${folder}-${process.pid}`
  mkdirSync(making)
  const { key } = await createNodeKey(join(making, KEY_FILE))
  await fillBoth(making, records, key.publicKey)
  renameSync(making, folder)
  return folder
}

/** Makes a new home that of the node whose library it is. */
export const becomeWriter = (home: string, filled: string): void => {
  cpSync(join(filled, KEY_FILE), join(home, KEY_FILE))
  replaceDatabase(home, filled)
}

/** Makes a new home one that follows that library and has all of it. */
export const becomeFollower = async (home: string, filled: string): Promise<void> => {
  replaceDatabase(home, filled)
  await followFilled(home, (await loadNodeKey(join(filled, KEY_FILE))).key)
}

const replaceDatabase = (home: string, filled: string): void => {
  rmSync(join(home, DATABASE), { recursive: true, force: true })
  cpSync(join(filled, DATABASE), join(home, DATABASE), { recursive: true })
}
