/** What an operator asks of mirroring. */
import { CatalogError } from '../../../base/index.ts'
import { parseId, type Registry, type ReleaseRecord } from '../../../library/index.ts'
import type { Action, MirrorPolicy, Plan } from '../../../mirror/index.ts'
import type {
  MirrorAction,
  MirrorCopyShape,
  MirrorPlanReply,
  MirrorRunResult,
  MirrorStatus
} from '../../mirror-schemas.ts'
import type { Fetching } from '../fetching.ts'
import type { MirrorService, WorkContext } from '../types.ts'
import type { Copies, MirrorCopy } from './copies.ts'
import type { Draining } from './draining.ts'
import type { Holders } from './holders.ts'
import type { Mirroring } from './mirroring.ts'
import { type CopyModules, copyShape, expectCopy, unpinCopy } from './pins.ts'
import type { MirrorReleases } from './releases.ts'
import type { SteadyClock } from './steady-clock.ts'
import type { MemberDirectory } from './types.ts'
import type { MirrorTotals, MirrorWork } from './work.ts'

/** Copies that a status tells of. */
export const MAX_TOLD = 1000

export interface MirrorServiceModules extends CopyModules {
  mirroring: Mirroring
  releases: MirrorReleases
  copies: Copies
  holders: Holders
  work: MirrorWork
  draining: Draining
  members: MemberDirectory
  totals: MirrorTotals
  fetching: Pick<Fetching, 'fetch'>
  registry: Registry
  clock: SteadyClock
}

export function createMirrorService(modules: MirrorServiceModules): MirrorService {
  const { mirroring, copies, draining, members, releases, holders, work, totals, clock } = modules

  async function carryOut({ signal, progress }: WorkContext): Promise<MirrorRunResult> {
    const startedMs = clock.monotonicMs()
    const before = { ...totals }
    let plan = await mirroring.planNow(signal)
    // What goes makes room for what comes, until a plan brings nothing more.
    for (let done = -1; isUnfinished(modules, plan) && doneOf(totals) + work.takes > done; ) {
      done = doneOf(totals)
      progress({ phase: 'mirroring', itemsDone: done - doneOf(before) })
      await work.settled(signal)
      plan = await mirroring.nextPlan(signal)
    }
    return {
      taken: totals.taken - before.taken,
      takenBytes: totals.takenBytes - before.takenBytes,
      failed: totals.failed - before.failed,
      dropped: totals.dropped - before.dropped,
      droppedBytes: totals.droppedBytes - before.droppedBytes,
      offered: offersIn(plan),
      heldBack: plan.heldBack.length,
      tookMs: Math.round(clock.monotonicMs() - startedMs)
    }
  }

  async function pin(
    spec: string,
    publisher: string | undefined,
    context: WorkContext
  ): Promise<MirrorCopyShape> {
    const request = { spec, ...(publisher === undefined ? {} : { publisher }) }
    const { id } = await modules.fetching.fetch(request, {
      ...context,
      release(shape) {
        // Before its content comes, which may be large.
        expectOpen(modules.registry, shape.id)
        context.release?.(shape)
      }
    })
    const record = expectOpen(modules.registry, id)
    await copies.pin(record)
    await mirroring.learn(record)
    return shapeOf(expectCopy(modules, record.release))
  }

  const shapeOf = (copy: MirrorCopy): MirrorCopyShape => {
    const key = copy.content.toString()
    return copyShape(modules, copy, {
      bytes: releases.of(key)?.bytes,
      isComing: releases.coming.includes(key),
      holders: holders.provenOf(key).length
    })
  }

  return {
    status() {
      const { region, capacityClass } = members.own()
      const { last, policy } = mirroring
      return {
        isEnabled: true,
        isMember: members.isVolunteer,
        isFrozen: policy.isFrozen,
        draining:
          draining.sinceMs === undefined
            ? null
            : {
                since: new Date(draining.sinceMs).toISOString(),
                left: last?.isDraining === true ? offersIn(last.plan) : null,
                isSafeToLeave: draining.isSafeToLeave
              },
        region,
        capacityClass,
        members: members.members().length,
        policy: policyShape(policy),
        releases: { known: releases.size, isFull: releases.isFull },
        usedBytes: last?.plan.usedBytes ?? 0,
        copies: [...copies.all()].slice(0, MAX_TOLD).map(shapeOf),
        copyCount: copies.size,
        waitingProofs: holders.waiting,
        planned:
          last === undefined
            ? null
            : {
                at: instantOf(clock, last.at),
                actions: last.plan.actions.length,
                heldBack: last.plan.heldBack.length,
                nextAt: nextOf(clock, last.plan)
              }
      }
    },
    plan: () => planShape(modules, mirroring.preview()),
    run: carryOut,
    async drain(isCancelled) {
      await (isCancelled ? draining.cancel() : draining.begin())
      mirroring.changed()
      return this.status()
    },
    pin,
    async unpin(spec, publisher, signal) {
      const copy = await unpinCopy(modules, { spec, publisher }, signal)
      releases.update(copy.content.toString())
      mirroring.changed()
      return { ...shapeOf(copy), isPinned: false }
    }
  }
}

/** NOT_PERMITTED for a release of a closed library: those are not held for others. */
function expectOpen(registry: Registry, id: string): ReleaseRecord {
  const record = registry.get(parseId(id))
  if (record === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `the record ${id} has gone meanwhile`)
  if (!registry.isClosed(record)) return record
  const { name, version } = record.release
  throw new CatalogError('NOT_PERMITTED', 'a release of a closed library is not mirrored', {
    hint: `to keep it here: catalog pin ${name}@${version}`
  })
}

/** Whether more is to be done now than waits for its next try. */
function isUnfinished({ work }: MirrorServiceModules, { actions }: Plan): boolean {
  return (
    work.takes > 0 ||
    actions.some(
      ({ kind, content }) =>
        (kind === 'take' || kind === 'drop') && work.failureOf(content.toString()) === undefined
    )
  )
}

function planShape(modules: MirrorServiceModules, plan: Plan): MirrorPlanReply {
  return {
    actions: plan.actions.map(action => actionShape(modules, action)),
    heldBack: plan.heldBack.map(held => ({ ...held, content: held.content.toString() })),
    nextAt: nextOf(modules.clock, plan),
    usedBytes: plan.usedBytes
  }
}

function actionShape({ work, clock }: MirrorServiceModules, action: Action): MirrorAction {
  const { kind, name, version, owner, bytes, reason } = action
  const content = action.content.toString()
  const failure = kind === 'take' ? work.failureOf(content) : undefined
  return {
    ...{ kind, name, version, content, owner, bytes, reason },
    ...('cause' in action ? { cause: action.cause } : {}),
    ...('peers' in action ? { peers: [...action.peers] } : 'peer' in action ? { peers: [action.peer] } : {}),
    ...(failure === undefined
      ? {}
      : { failed: { code: failure.code, retryAt: instantOf(clock, failure.untilMs) } })
  }
}

const offersIn = ({ actions }: Plan): number => actions.filter(({ kind }) => kind === 'offer').length
const doneOf = ({ taken, failed, dropped }: MirrorTotals): number => taken + failed + dropped

export const policyShape = ({ isFrozen, isDraining, ...policy }: MirrorPolicy): MirrorStatus['policy'] =>
  policy
const nextOf = (clock: SteadyClock, { nextMs }: Plan): string | null =>
  nextMs === undefined ? null : instantOf(clock, nextMs)
const instantOf = (clock: SteadyClock, atMs: number): string => new Date(clock.wallMs(atMs)).toISOString()
