import type { Clock } from '../../base/index.ts'
import type { ErrorLog, NotedError } from '../logging/error-log.ts'
import { recallErrors } from '../logging/recall.ts'
import type { ErrorsReply, NotedErrorShape } from '../schemas.ts'
import type { ErrorsService } from './types.ts'

/** What failed, those errors included that the file of the log has of the life of the daemon before: it is read when it is first asked for. */
export function createErrors(
  { errors, clock }: { errors: ErrorLog; clock: Clock },
  { logs }: { logs: string }
): ErrorsService {
  const startedAtMs = clock.now()
  let recalled: Promise<void> | undefined
  return {
    async list(withinMs): Promise<ErrorsReply> {
      recalled ??= recallErrors(errors, logs, startedAtMs)
      await recalled
      return { errors: errors.list(clock.now() - withinMs).map(shapeOf) }
    }
  }
}

const shapeOf = ({ firstMs, lastMs, ...noted }: NotedError): NotedErrorShape => ({
  ...noted,
  firstAt: new Date(firstMs).toISOString(),
  lastAt: new Date(lastMs).toISOString()
})
