import { CatalogError } from '../../base/index.ts'

const NETWORK_ID = /^[a-z0-9][a-z0-9-]{0,31}$/

/**
 * The id of a protocol in multistream-select: `/catalog/<network id>/<name>/<version>`. The network id keeps networks
 * apart: peers of another network do not know the protocol. `version` grows when old and new cannot talk.
 */
export function protocolId(networkId: string, name: string, version: number): string {
  if (!NETWORK_ID.test(networkId))
    throw new CatalogError('INVALID_ARGUMENT', `network id '${networkId}' must match ${NETWORK_ID.source}`)
  return `/catalog/${networkId}/${name}/${version}`
}
