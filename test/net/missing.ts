/** Why tests with network namespaces are skipped here; undefined when they are not. Says it once. */
import { whyNoNamespaces } from '../../testnet/drivers/netns/namespaces.ts'

export const missing = whyNoNamespaces()

if (missing !== undefined) console.log(`tests with network namespaces are skipped: ${missing}`)
