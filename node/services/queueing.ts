import { CatalogError } from '../../base/index.ts'
import type { QueuedShape } from '../queue-schemas.ts'
import type { OperationQueue, QueuedOperation, QueueKind, QueueRequests } from './operation-queue.ts'
import type { QueueService } from './types.ts'

/** What clients ask of the queue. */
export const createQueueing = ({ queue }: { queue: OperationQueue }): QueueService => ({
  add: async <K extends QueueKind>(kind: K, request: QueueRequests[K], signal: AbortSignal) =>
    shapeOf(await queue.add(kind, request, signal)),
  list: async signal => ({ queue: (await queue.list(signal)).map(shapeOf) }),
  async remove(id) {
    if (await queue.remove(id)) return
    throw new CatalogError('NOT_FOUND', `nothing with the id ${id} is queued`, {
      hint: '`catalog queue list` shows what is'
    })
  }
})

const shapeOf = ({ queuedAt, request, ...rest }: QueuedOperation): QueuedShape => ({
  ...rest,
  request: { ...request },
  queuedAt: new Date(queuedAt).toISOString()
})
