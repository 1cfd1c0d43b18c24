import type { PeerId } from '@libp2p/interface'
import { CatalogError } from '../../base/index.ts'
import type { Control } from '../control/index.ts'
import type { Probed } from './server.ts'
import { PROBE_VERDICTS, probePeers } from './types.ts'

/** Asks a peer whether others answer it; the answers in their order. Throws as `Control.request`. */
export async function askProbe(
  control: Pick<Control, 'request'>,
  prober: PeerId,
  peers: readonly PeerId[],
  signal: AbortSignal
): Promise<Probed[]> {
  const ids = peers.map(peer => peer.toMultihash().bytes)
  const { answers } = await control.request(prober, probePeers, { peers: ids }, { signal })
  if (answers.length !== peers.length)
    throw new CatalogError(
      'PROTOCOL_VIOLATION',
      `${answers.length} answers of ${peers.length} that were asked for`
    )
  return answers.map(({ verdict, roundTripMs }) => ({
    verdict: PROBE_VERDICTS[verdict] ?? 'unknown',
    roundTripMs
  }))
}
