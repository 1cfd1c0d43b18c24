import { displayDuration, displaySize } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { MirrorRunResult } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const result = await runOperation<MirrorRunResult>(context, { path: '/v1/mirror/runs', body: {} })
  context.output.result(result, () => {
    const { taken, takenBytes, failed, dropped, droppedBytes, offered, heldBack, tookMs } = result
    const done = [
      `${taken} taken (${displaySize(takenBytes)})`,
      `${dropped} let go of (${displaySize(droppedBytes)})`,
      ...(failed === 0 ? [] : [`${failed} could not be had`]),
      ...(offered === 0 ? [] : [`${offered} offered`]),
      ...(heldBack === 0 ? [] : [`${heldBack} held back`])
    ]
    return `${done.join(', ')}, in ${displayDuration(tookMs)}`
  })
  if (result.failed + result.heldBack > 0) context.output.note('`catalog mirror plan` says why.')
})
