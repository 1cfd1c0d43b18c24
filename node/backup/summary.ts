import { CatalogError } from '../../base/index.ts'
import type { BackupPart, BackupState } from './parts.ts'
import { readBackup } from './read.ts'

/** What a backup holds. */
export interface Summary {
  readonly state: BackupState
  readonly files: number
  readonly rows: number
  /** Segments that are only in the bucket of the home. */
  readonly awaySegments: number
  readonly awayBytes: number
}

/** Counts the parts of a backup as they go by. */
export class BackupSummary {
  #state: BackupState | undefined
  #files = 0
  #rows = 0
  #awaySegments = 0
  #awayBytes = 0

  add(part: BackupPart): void {
    if (part.kind === 'state') this.#state = part.state
    else if (part.kind === 'file') this.#files++
    else if (part.kind === 'rows') this.#rows += part.rows.length
    else if (part.kind === 'away')
      for (const { sizeBytes } of part.segments) {
        this.#awaySegments++
        this.#awayBytes += sizeBytes
      }
  }

  /** After the last part. */
  done(): Summary {
    const state = this.#state
    if (state === undefined) throw new CatalogError('BACKUP_INVALID', 'the file says nothing')
    return {
      state,
      files: this.#files,
      rows: this.#rows,
      awaySegments: this.#awaySegments,
      awayBytes: this.#awayBytes
    }
  }
}

/** Reads a backup to its end and checks all of it, with nothing but itself. BACKUP_INVALID. */
export async function verifyBackup(source: AsyncIterable<Uint8Array>): Promise<Summary> {
  const summary = new BackupSummary()
  for await (const part of readBackup(source)) summary.add(part)
  return summary.done()
}
