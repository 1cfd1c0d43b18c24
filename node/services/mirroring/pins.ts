/** Copies as they are told of, and pins that are taken back: on a node that mirrors, and on one that once did. */
import { CatalogError } from '../../../base/index.ts'
import { parsePublicKey } from '../../../trust/index.ts'
import type { MirrorCopyShape } from '../../mirror-schemas.ts'
import { type LocalModules, localRelease } from '../retention.ts'
import type { Copies, MirrorCopy } from './copies.ts'

/** What only a node that mirrors knows of a copy. */
export interface CopyStanding {
  readonly bytes: number | undefined
  readonly isComing: boolean
  /** Other members that have proven that they hold it. */
  readonly holders: number
}

export interface CopyModules extends LocalModules {
  copies: Pick<Copies, 'of' | 'unpin'>
}

export function copyShape(
  { content }: Pick<CopyModules, 'content'>,
  copy: MirrorCopy,
  { bytes, isComing, holders }: CopyStanding
): MirrorCopyShape {
  const { name, version, isPinned, taken } = copy
  const isHeld = taken !== undefined && content.localState(copy.content) === 'complete'
  return {
    ...{ name, version, isPinned, holders, content: copy.content.toString() },
    bytes: bytes ?? content.summary(copy.content)?.sizeBytes ?? 0,
    state: isComing ? 'coming' : isHeld ? 'held' : 'wanted',
    cause: taken?.cause ?? null,
    since: taken === undefined ? null : new Date(taken.at).toISOString()
  }
}

/** The copy of a release that is here by its record. NOT_FOUND where there is none. */
export function expectCopy(
  { copies }: Pick<CopyModules, 'copies'>,
  { name, version, content }: { name: string; version: string; content: { toString(): string } }
): MirrorCopy {
  const copy = copies.of(content.toString())
  if (copy !== undefined) return copy
  throw new CatalogError('NOT_FOUND', `${name}@${version} is not held for others`, {
    hint: '`catalog mirror status` shows what is'
  })
}

/** The copy as it was, pinned until now. RELEASE_NOT_FOUND, NOT_FOUND for what is not pinned. */
export async function unpinCopy(
  modules: CopyModules,
  { spec, publisher }: { spec: string; publisher: string | undefined },
  signal: AbortSignal
): Promise<MirrorCopy> {
  const owner = publisher === undefined ? undefined : parsePublicKey(publisher)
  const record = await localRelease(modules, spec, signal, owner)
  const copy = expectCopy(modules, record.release)
  if (!copy.isPinned)
    throw new CatalogError('NOT_FOUND', `${copy.name}@${copy.version} is not pinned for mirroring`, {
      hint: '`catalog mirror status` shows what is'
    })
  await modules.copies.unpin(record)
  return copy
}
