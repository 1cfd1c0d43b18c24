import { CID } from 'multiformats/cid'
import { systemClock } from '../../base/index.ts'
import { createAttestationRecord, nextSequence, parseExactSpec } from '../../library/index.ts'
import { formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import type { ReleaseInfo } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'
import { openKeyring, unlockKey } from './keyring.ts'
import { publishChange } from './own-release.ts'

interface Options {
  statement?: string
  withdraw?: boolean
  publisher?: string
  key?: string
}

/** What is said when nothing else is. */
const DEFAULT_STATEMENT = 'approved'

export const run = defineCommand(async (context, [spec]: [string], options: Options) => {
  const { statement = DEFAULT_STATEMENT, withdraw = false, publisher, key } = options
  parseExactSpec(spec)
  const signer = await unlockKey(context, await openKeyring(context), key)
  const release = await context.client().request<ReleaseInfo>('GET', '/v1/releases', {
    query: { spec, publisher, network: false },
    signal: context.signal
  })
  const { name, version } = release
  const own = formatPublicKey(signer.publicKey)
  const last = release.attestations.find(said => said.signer === own && said.statement === statement)
  const attestation = createAttestationRecord(
    {
      name,
      version,
      owner: parsePublicKey(release.publisher),
      content: CID.parse(release.content),
      statement,
      holds: !withdraw,
      sequence: nextSequence(systemClock.now(), last?.sequence)
    },
    signer
  )
  const item = await publishChange(context, 'POST', '/v1/statements', attestation)
  const verb = withdraw ? 'no longer says' : 'says'
  context.output.result(
    { ...item, statement, holds: !withdraw, signer: own },
    () => `${own} ${verb} of ${name}@${version}: ${statement}`
  )
})
