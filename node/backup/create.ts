/** Makes a backup: the parts of a home's state, one after the other, as fast as they are taken. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CatalogError } from '../../base/index.ts'
import type { HeldSegment, HeldState } from '../../library/index.ts'
import { loadNodeKey } from '../../trust/index.ts'
import { readKnownFormat } from '../home/format.ts'
import type { HomeLayout } from '../home/layout.ts'
import { peerOf } from '../services/writer-key.ts'
import { VERSION } from '../version.ts'
import {
  type BackupPart,
  isBackupFile,
  isKeyFile,
  MAX_BODY_BYTES,
  PART_BYTES,
  ROW_HEAD_BYTES,
  type Row,
  SEGMENT_HEAD_BYTES
} from './parts.ts'
import { writeBackup } from './write.ts'

export interface CreateBackupModules {
  home: HomeLayout
  /** Closed by the caller. */
  held: HeldState
}

export interface CreateBackupOptions {
  withKeys: boolean
  /** RFC 3339. */
  createdAt: string
}

/** The bytes of a backup. The errors of the home's files come before the first of them. */
export async function* createBackup(
  modules: CreateBackupModules,
  options: CreateBackupOptions,
  signal?: AbortSignal
): AsyncGenerator<Uint8Array> {
  yield* writeBackup(partsOf(modules, options, signal))
}

async function* partsOf(
  { home, held }: CreateBackupModules,
  { withKeys, createdAt }: CreateBackupOptions,
  signal?: AbortSignal
): AsyncGenerator<BackupPart> {
  const segments = held.segments.filter(({ sizeBytes }) => sizeBytes > 0)
  const files = await filesOf(home, withKeys)
  yield {
    kind: 'state',
    state: {
      homeFormat: await readKnownFormat(home),
      version: VERSION,
      createdAt,
      peerId: peerOf((await loadNodeKey(home.nodeKey)).key.publicKey),
      hasKeys: withKeys,
      segments: segments.length,
      segmentBytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    }
  }
  for (const { name, bytes } of files) yield { kind: 'file', name, bytes }
  yield* rowParts(held, signal)
  const most = MAX_BODY_BYTES.away / SEGMENT_HEAD_BYTES
  for (let at = 0; at < held.away.length; at += most)
    yield { kind: 'away', segments: held.away.slice(at, at + most) }
  for (const segment of segments) yield* piecesOf(held, segment, signal)
}

/** Small files of the home, by name. */
async function filesOf(
  home: HomeLayout,
  withKeys: boolean
): Promise<Array<{ name: string; bytes: Uint8Array }>> {
  const keys = (await readdir(home.keyring)).map(name => `keyring/${name}`)
  const names = ['config.toml', 'node.key', 'segments/owner', ...keys]
    .filter(name => isBackupFile(name) && (withKeys || !isKeyFile(name)))
    .sort()
  const files: Array<{ name: string; bytes: Uint8Array }> = []
  // One at a time: there may be more keys than files that a process may open.
  for (const name of names) {
    const bytes = await bytesOf(home.root, name)
    if (bytes !== undefined) files.push({ name, bytes })
  }
  return files
}

/** Undefined when it is not there. A configuration may be a link, which the daemon follows too. */
async function bytesOf(root: string, name: string): Promise<Uint8Array | undefined> {
  const path = join(root, name)
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      if (1 + name.length + size > MAX_BODY_BYTES.file)
        throw new CatalogError('LIMIT_EXCEEDED', `${path} has ${size} bytes, too many for such a file`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  }
}

async function* rowParts({ database }: HeldState, signal?: AbortSignal): AsyncGenerator<BackupPart> {
  let rows: Row[] = []
  let sizeBytes = 0
  for await (const [key, value] of database.iterate({ prefix: new Uint8Array(0) }, signal)) {
    rows.push({ key, value })
    sizeBytes += ROW_HEAD_BYTES + key.byteLength + value.byteLength
    if (sizeBytes < PART_BYTES) continue
    yield { kind: 'rows', rows }
    rows = []
    sizeBytes = 0
  }
  if (rows.length > 0) yield { kind: 'rows', rows }
}

async function* piecesOf(
  held: HeldState,
  segment: HeldSegment,
  signal?: AbortSignal
): AsyncGenerator<BackupPart> {
  let offsetBytes = 0
  for await (const bytes of held.read(segment)) {
    signal?.throwIfAborted()
    yield { kind: 'piece', segment: segment.segment, offsetBytes, bytes }
    offsetBytes += bytes.byteLength
  }
}
