/** What is told of a bundle that was taken in, or verified (schemas.ts). */
import * as Type from 'typebox'
import { count, text } from './schema-fields.ts'

export const BundleResult = Type.Object({
  library: text('Id of the library, 64 hexadecimal digits.'),
  writer: text('Peer id of the node whose library it is.'),
  address: text('PEERID/NAME, or PEERID alone for a home.'),
  head: Type.Object({
    epoch: count('Of the writer.'),
    revision: count('Of the library when the bundle was made.'),
    time: text('RFC 3339: when the head was signed.'),
    expires: text('RFC 3339: past it the library may have changed.')
  }),
  isExpired: Type.Boolean({ description: 'The head no longer holds: a yank may be missing.' }),
  isOlder: Type.Boolean({ description: 'This node knows a newer head of the library.' }),
  copy: Type.Enum(['made', 'part', 'older', 'own', 'too-large', 'busy'], {
    description:
      'made: the bundle is of a whole library, of which a copy of this state is here now, as if it had been followed. Else there is none of it: part of a library only; a later state is here, or known; a library of this node; more than sync.maxRecords or sync.maxBytes; the library is being compared with a peer just now, or as many libraries as are compared at once.'
  }),
  records: count('Records of the bundle.'),
  newRecords: count('Of them those that were new here.'),
  refusedRecords: count(
    'Of them those that were not taken: what is blocked here, and those of a version that its owner has signed too many contents for.'
  ),
  contents: count('Contents of the bundle.'),
  newContents: count('Of them those that were not whole here.')
})
export type BundleResult = Type.Static<typeof BundleResult>

/** What is in a bundle in which nothing is wrong: said by the command line, without a daemon. */
export interface VerifiedBundle
  extends Pick<
    BundleResult,
    'library' | 'writer' | 'address' | 'head' | 'isExpired' | 'records' | 'contents'
  > {
  /** The records are all that the library had then. */
  readonly isWhole: boolean
}
