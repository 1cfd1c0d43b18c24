import { displaySize, plural } from '../../base/index.ts'
import type { MirrorCopyShape, MirrorStatus } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const { signal } = context
  const status = await context.client().request<MirrorStatus>('GET', '/v1/mirror', { signal })
  context.output.result(status, () => mirrorText(status))
  if (!status.isEnabled)
    context.output.note('`catalog config set mirroring.enabled true` and a restart let it volunteer.')
})

export function mirrorText(status: MirrorStatus): string {
  const { copies, copyCount } = status
  if (!status.isEnabled) return 'this node holds nothing for others'
  const lines = [memberText(status), roomText(status), ...planText(status)]
  const table = formatTable(
    ['NAME', 'VERSION', 'SIZE', 'STATE', 'BECAUSE', 'PINNED', 'OTHERS', 'SINCE'],
    copies.map(rowOf)
  )
  const more = copyCount > copies.length ? [`and ${copyCount - copies.length} more`] : []
  return [lines.join('\n'), ...(copies.length === 0 ? [] : [table]), ...more].join('\n\n')
}

function memberText({ isMember, isFrozen, draining, members, region, capacityClass }: MirrorStatus): string {
  const role = isMember ? `one of ${plural(members, 'member')}` : `no member (there are ${members})`
  const place = `region ${region}, class ${capacityClass}`
  const state =
    draining === null
      ? ''
      : draining.isSafeToLeave
        ? '; it is safe to leave'
        : draining.left === null
          ? '; looks for what too few others hold'
          : `; hands over ${plural(draining.left, 'content')} that too few others hold`
  return `${role}, ${place}${state}${isFrozen ? '; the network is split, so nothing moves' : ''}`
}

function roomText({ usedBytes, policy, copyCount, releases }: MirrorStatus): string {
  const of = policy.quotaBytes === 0 ? '' : ` of ${displaySize(policy.quotaBytes)}`
  const full = releases.isFull ? ' (there are more)' : ''
  return `${plural(copyCount, 'content')}, ${displaySize(usedBytes)}${of}; ${releases.known} are planned for${full}`
}

function planText({ planned, waitingProofs }: MirrorStatus): string[] {
  if (planned === null) return ['nothing was planned yet']
  const { at, actions, heldBack, nextAt } = planned
  const held = heldBack === 0 ? '' : `, ${heldBack} held back`
  const next = nextAt === null ? '' : `; again at ${nextAt}`
  const proofs = waitingProofs === 0 ? '' : `; ${plural(waitingProofs, 'proof')} waited for`
  return [`planned at ${at}: ${plural(actions, 'action')}${held}${proofs}${next}`]
}

const rowOf = ({
  name,
  version,
  bytes,
  state,
  cause,
  isPinned,
  holders,
  since
}: MirrorCopyShape): string[] => [
  name,
  version,
  displaySize(bytes),
  state,
  cause ?? '',
  isPinned ? 'yes' : '',
  String(holders),
  since ?? ''
]
