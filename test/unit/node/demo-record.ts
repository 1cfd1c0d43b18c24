import { CID } from 'multiformats/cid'
import { createReleaseRecord, type ReleaseRecord } from '../../../library/index.ts'
import { SigningKey } from '../../../trust/index.ts'

/** demo@1.0.0, of one file that is nowhere. */
export function demoRecord(key: SigningKey = SigningKey.generate()): ReleaseRecord {
  return createReleaseRecord(
    {
      name: 'demo',
      version: '1.0.0',
      type: 'package',
      content: CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'),
      sizeBytes: 10,
      files: 1,
      publishedAt: 1_700_000_000_000,
      sequence: 1
    },
    key
  )
}
