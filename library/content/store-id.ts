/**
 * The id of a store, in the file `owner` beside its segments: what tells its bucket from another's. Not in the database,
 * because a store whose database was lost must find its segments again.
 */
import { randomBytes } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { CatalogError } from '../../base/index.ts'
import { nodeDisk } from './disk.ts'

const FILE_NAME = 'owner'
const ID_BYTES = 16
const ID = /^[0-9a-f]{32}$/

/** The id; made and on disk when there was none. `folder` is that of the segments, and its parent exists. */
export async function storeId(folder: string): Promise<string> {
  const path = join(folder, FILE_NAME)
  const known = await readFile(path, 'latin1').catch(thrown => {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  })
  if (known !== undefined) {
    if (ID.test(known)) return known
    throw new CatalogError('BUCKET_CONFLICT', `${path} does not hold the id of a store`, {
      hint: 'restore it: the object `owner` below store.s3.prefix has what stood in it'
    })
  }
  const id = randomBytes(ID_BYTES).toString('hex')
  await nodeDisk.makeFolder(folder)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(id, 'latin1')
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await nodeDisk.syncFolder(folder)
  return id
}
