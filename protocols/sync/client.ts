import type { PeerId } from '@libp2p/interface'
import type { Clock } from '../../base/index.ts'
import { type Connections, connectionTo } from '../wire/connection.ts'
import { protocolId } from '../wire/ids.ts'
import { fromTransport } from '../wire/status.ts'
import { driveSession, type SessionPort, type SessionTraffic } from './drive.ts'
import { FRAME_TIMEOUT_MS } from './limits.ts'

export const syncProtocol = (networkId: string): string => protocolId(networkId, 'sync', 1)

export interface SyncClientModules {
  readonly libp2p: Connections
  readonly clock: Clock
}

/**
 * Opens a session with a peer and runs it to its end. Throws DIAL_FAILED, UNSUPPORTED when the peer does not speak the protocol, and
 * as `driveSession`.
 */
export async function runSyncSession<O>(
  { libp2p, clock }: SyncClientModules,
  { peerId, networkId, signal }: { peerId: PeerId; networkId: string; signal: AbortSignal },
  port: SessionPort<O>,
  traffic: SessionTraffic
): Promise<{ outcome?: O } | undefined> {
  try {
    const connection = await connectionTo(libp2p, peerId, { signal })
    const stream = await connection.newStream(syncProtocol(networkId), {
      signal,
      runOnLimitedConnection: true
    })
    const options = { isInitiator: true, firstFrameMs: FRAME_TIMEOUT_MS, signal }
    return await driveSession({ stream, clock }, port, traffic, options)
  } catch (thrown) {
    throw fromTransport(signal.aborted ? signal.reason : thrown, peerId.toString())
  }
}
