/** Changing what the owner of a release says of it: which release, with which key, and sending what was signed. */
import { CatalogError } from '../../base/index.ts'
import { parseExactSpec, type SignedRecord } from '../../library/index.ts'
import { formatPublicKey, type SigningKey } from '../../trust/index.ts'
import type { ReleaseInfo, ReleaseItem } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { openKeyring, unlockKey } from './keyring.ts'

export interface OwnRelease {
  release: ReleaseInfo
  signer: SigningKey
}

/** The release of that name and version by the key, as this node knows it. Throws INVALID_ARGUMENT for a range, RELEASE_NOT_FOUND, NOT_OWNER. */
export async function ownRelease(context: Context, spec: string, keyName?: string): Promise<OwnRelease> {
  const { kind } = parseExactSpec(spec)
  const signer = await unlockKey(context, await openKeyring(context), keyName)
  const key = formatPublicKey(signer.publicKey)
  // A record that is named by its id has its owner: asked for by a publisher it would be one of another name.
  const publisher = kind === 'id' ? undefined : key
  const release = await context.client().request<ReleaseInfo>('GET', '/v1/releases', {
    query: { spec, publisher, network: false },
    signal: context.signal
  })
  if (release.publisher !== key)
    throw new CatalogError('NOT_OWNER', `${release.name}@${release.version} is of ${release.publisher}`, {
      details: { publisher: release.publisher, key }
    })
  return { release, signer }
}

/** Sends a signed record to be published; the release as it is then. */
export async function publishChange(
  context: Context,
  method: 'POST' | 'PUT',
  path: string,
  record: SignedRecord
): Promise<ReleaseItem> {
  return await context.client().request<ReleaseItem>(method, path, {
    body: { record: Buffer.from(record.bytes).toString('base64') },
    signal: context.signal
  })
}
