/** When a home was last backed up whole: a row of its database, which `catalog doctor` looks at. */
import { type DatabaseReader, KeyFamily, makeKey, type WriteOperation } from '../../library/index.ts'

export interface LastBackup {
  /** RFC 3339. */
  readonly createdAt: string
  readonly sizeBytes: number
}

const KEY = makeKey(KeyFamily.LastBackup)

export const putLastBackup = (last: LastBackup): WriteOperation => ({
  type: 'put',
  key: KEY,
  value: Buffer.from(JSON.stringify(last))
})

/** Undefined when there was none, or when the row cannot be read: it is information only. */
export function readLastBackup(reader: Pick<DatabaseReader, 'get'>): LastBackup | undefined {
  const value = reader.get(KEY)
  if (value === undefined) return undefined
  try {
    const { createdAt, sizeBytes } = JSON.parse(Buffer.from(value).toString()) as Partial<LastBackup>
    const isRead = typeof sizeBytes === 'number' && Number.isFinite(Date.parse(createdAt ?? ''))
    return isRead ? { createdAt: createdAt!, sizeBytes } : undefined
  } catch {
    return undefined
  }
}
