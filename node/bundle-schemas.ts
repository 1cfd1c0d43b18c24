/** What a node tells of a bundle that it took in (schemas.ts). */
import * as Type from 'typebox'
import { count, text } from './schema-fields.ts'

export const BundleResult = Type.Object({
  library: text('Id of the library, 64 hexadecimal digits.'),
  writer: text('Peer id of the node whose library it is.'),
  head: Type.Object({
    epoch: count('Of the writer.'),
    revision: count('Of the library when the bundle was made.'),
    time: text('RFC 3339: when the head was signed.'),
    expires: text('RFC 3339: past it the library may have changed.')
  }),
  isExpired: Type.Boolean({ description: 'The head no longer holds: a yank may be missing.' }),
  isOlder: Type.Boolean({ description: 'This node knows a newer head of the library.' }),
  records: count('Records of the bundle.'),
  newRecords: count('Of them those that were new here.'),
  refusedRecords: count('Of them those of a version that its owner has signed too many contents for.'),
  contents: count('Contents of the bundle.'),
  newContents: count('Of them those that were not whole here.')
})
export type BundleResult = Type.Static<typeof BundleResult>
