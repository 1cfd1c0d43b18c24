import type { ArgumentSpec, CommandSpec, OptionSpec } from '../framework/tree.ts'

const SPEC: ArgumentSpec = {
  name: '<spec>',
  description: 'NAME, NAME@VERSION, NAME@RANGE or the id of a record'
}
const PUBLISHER: OptionSpec = {
  flags: '--publisher <key>',
  description: 'public key of the owner that is meant'
}

/** Commands about what this node holds for others. */
export const MIRROR_COMMANDS: CommandSpec[] = [
  {
    name: 'mirror',
    summary: 'what this node holds for others',
    details:
      'With `mirroring.enabled` a node volunteers to hold copies of releases that are for everybody, so that they outlive the nodes that published them. Each node decides for itself what it should hold; `mirror.*` settings say how many copies there should be and at what cost (docs/mirror.md).',
    commands: [
      {
        name: 'status',
        summary: 'copies that are here, members, and what was planned',
        json: '`isEnabled`, `isMember`, `isFrozen`, `draining {since, left, isSafeToLeave}|null`, `region`, `capacityClass`, `members`, `policy {…}`, `releases {known, isFull}`, `usedBytes`, `copies[] {name, version, content, bytes, state, cause, since, isPinned, holders}` (the first 1000; `holders` are other members that have proven it), `copyCount`, `waitingProofs`, `planned {at, actions, heldBack, nextAt}|null`',
        load: () => import('./mirror-status.ts')
      },
      {
        name: 'plan',
        summary: 'what would be taken, let go of, offered or proven now, and why',
        json: '`actions[] {kind, name, version, content, owner, bytes, cause?, peers?, reason, failed?}`, `heldBack[] {name, version, content, bytes, because}`, `nextAt`, `usedBytes`',
        load: () => import('./mirror-plan.ts')
      },
      {
        name: 'run',
        summary: 'look at everything anew and do what follows, until nothing is left to do',
        details:
          'A node does so by itself, at once when something changes and every `mirror.interval`; this is for who wants to wait for it.',
        json: '`taken`, `takenBytes`, `failed`, `dropped`, `droppedBytes`, `offered`, `heldBack`, `tookMs`',
        load: () => import('./mirror-run.ts')
      },
      {
        name: 'drain',
        summary: 'hand over what too few others hold, before this node leaves for good',
        details:
          'The node takes nothing any more and offers to other members what fewer than `mirror.min` of them hold, what it published itself too. When they have proven that they hold it, the node is no member any more, and `catalog mirror status` says that it is safe to leave. Where no other member may hold something, that is never so: `catalog mirror plan` names it. A copy stays here until `mirror.target` others that come before this node have proven theirs, or you remove it. Announcements of them are not repeated, and are forgotten within 25 hours.',
        options: [
          { flags: '--cancel', description: 'stay after all' },
          { flags: '--wait', description: 'return when it is safe to leave' }
        ],
        json: 'as `mirror status`',
        load: () => import('./mirror-drain.ts')
      },
      {
        name: 'pin',
        summary: 'bring a release and keep it for others, whatever its rank',
        arguments: [SPEC],
        options: [PUBLISHER],
        examples: [{ line: 'catalog mirror pin base-image@2', does: 'keeps a copy of its newest version 2' }],
        json: '`name`, `version`, `content`, `bytes`, `state`, `cause`, `since`, `isPinned`, `holders`',
        load: () => import('./mirror-pin.ts')
      },
      {
        name: 'unpin',
        summary: 'keep a release as its rank says from now on',
        arguments: [SPEC],
        options: [PUBLISHER],
        json: 'as `mirror pin`',
        load: () => import('./mirror-unpin.ts')
      }
    ]
  }
]
