import { displaySize } from '../../base/index.ts'
import type { MirrorPlanReply } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

const HELD_BACK: Record<MirrorPlanReply['heldBack'][number]['because'], string> = {
  quota: 'no room under mirror.quota',
  owner: 'its owner has a tenth of mirror.quota already',
  budget: 'mirror.repairBudget of this hour is spent',
  actions: 'more is planned than is done at once'
}

export const run = defineCommand(async context => {
  const { signal } = context
  const plan = await context.client().request<MirrorPlanReply>('GET', '/v1/mirror/plan', { signal })
  context.output.result(plan, () => planText(plan))
})

function planText({ actions, heldBack, nextAt }: MirrorPlanReply): string {
  const next = nextAt === null ? '' : `; the next plan is due at ${nextAt}`
  if (actions.length + heldBack.length === 0) return `nothing is to be done${next}`
  const doing = formatTable(
    ['DO', 'NAME', 'VERSION', 'SIZE', 'BECAUSE'],
    actions.map(({ kind, name, version, bytes, reason, peers, failed }) => [
      kind,
      name,
      version,
      bytes === 0 ? '' : displaySize(bytes),
      `${reason}${peers === undefined ? '' : ` (${peers.join(', ') || 'nobody is there'})`}${failed === undefined ? '' : `; failed with ${failed.code}, again at ${failed.retryAt}`}`
    ])
  )
  const waiting = formatTable(
    ['HELD BACK', 'VERSION', 'SIZE', 'BECAUSE'],
    heldBack.map(({ name, version, bytes, because }) => [
      name,
      version,
      displaySize(bytes),
      HELD_BACK[because]
    ])
  )
  return [doing, waiting].filter(table => table !== '').join('\n\n')
}
