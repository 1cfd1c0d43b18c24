import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Head } from '../heads/index.ts'
import { expectJoinable } from './joins.ts'
import type { FollowedRow } from './rows.ts'
import type { FollowOptions } from './types.ts'

/** A head that a peer shows: of the library that was asked for, closed as ever, and for everybody where it is to join home. HEAD_INVALID, NOT_PERMITTED. */
export function expectMeant(
  head: Head,
  { library, writer, isToJoin = false }: Pick<FollowOptions, 'library' | 'writer' | 'isToJoin'>,
  { copy, staged, isClosed }: FollowedRow
): void {
  if (!bytesEqual(head.library, library) || !bytesEqual(head.writer, writer))
    throw new CatalogError('HEAD_INVALID', 'the head is of another library, or of another writer')
  const hasCopy = copy !== 0 || staged !== 0
  if (hasCopy && head.isClosed !== isClosed)
    throw new CatalogError(
      'HEAD_INVALID',
      'the head says that a library is closed which was not, or is no more'
    )
  if (isToJoin) expectJoinable(head)
}
