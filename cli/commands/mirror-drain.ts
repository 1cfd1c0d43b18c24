import { setTimeout as wait } from 'node:timers/promises'
import { CatalogError, SECOND_MS } from '../../base/index.ts'
import type { MirrorStatus } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'
import { mirrorText } from './mirror-status.ts'

interface Options {
  cancel?: boolean
  wait?: boolean
}

/** How often the node is asked whether it is safe to leave. */
const LOOK_MS = SECOND_MS

export const run = defineCommand(async (context, _: [], options: Options) => {
  if (options.cancel === true && options.wait === true)
    throw new CatalogError('INVALID_ARGUMENT', '--cancel goes without --wait')
  const { signal } = context
  const body = { isDraining: options.cancel !== true }
  let status = await context.client().request<MirrorStatus>('PUT', '/v1/mirror/drain', { body, signal })
  while (options.wait === true && status.draining?.isSafeToLeave === false) {
    await wait(LOOK_MS, undefined, { signal })
    status = await context.client().request<MirrorStatus>('GET', '/v1/mirror', { signal })
  }
  context.output.result(status, () => mirrorText(status))
  if (status.draining?.isSafeToLeave === false)
    context.output.note('`catalog mirror status` says when it is safe to leave, `--wait` waits for it.')
})
