import type { Logger } from '../base/index.ts'
import type { EventHub } from './events.ts'
import type { Host } from './host/index.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { OperationManager } from './operations.ts'

export interface WatchModules {
  lifecycle: Lifecycle
  operations: OperationManager
  host: Host
  events: EventHub
  logger: Logger
}

/** Tells the event stream and the log what happens in the parts of a node. */
export function watchParts({ lifecycle, operations, host, events, logger }: WatchModules): void {
  lifecycle.observe(({ from, to, reason }) => {
    logger.info({ from, to, reason }, 'state changed')
    events.emit('state', { from, state: to, reason })
  })
  operations.watchAll(operation => {
    events.emit('operation', { ...operation })
    if (operation.state === 'running') return
    const { id, kind, state, startedAt, endedAt, requestId, error } = operation
    const tookMs = Date.parse(endedAt ?? startedAt) - Date.parse(startedAt)
    logger.info({ operation: id, kind, state, tookMs, requestId, code: error?.code }, 'operation ended')
  })
  host.events.on('connected', ({ peerId, direction, addresses }) => {
    logger.debug({ peerId, direction, addresses }, 'peer connected')
    events.emit('peer', { peerId, connected: true, direction })
  })
  host.events.on('disconnected', peerId => {
    logger.debug({ peerId }, 'peer disconnected')
    events.emit('peer', { peerId, connected: false })
  })
}
