/** What the driver has made of a plan, as it stands in the state file. */
import { join } from 'node:path'
import { type NetworkPlan, regionsOf } from '../../network/plan.ts'
import type { ProcessId } from '../../process-id.ts'
import { homeIn } from '../local-node.ts'
import type { StateStore } from '../state.ts'
import type { RegionPlan } from './regions.ts'

export interface Made {
  /** Before the names of the namespaces. */
  readonly prefix: string
  readonly nodes: Readonly<Record<string, MadeNode>>
}

export interface MadeNode {
  readonly peerId: string
  /** The program that its daemon was last started with, or will be. */
  readonly program: string
  /** Of the daemon that was started last; absent before the first. */
  readonly daemon?: ProcessId
}

export type MadeStore = StateStore<Made>

/** Where things are below the folder of a network. */
export const pathsOf = (folder: string) => ({
  links: join(folder, 'links'),
  node: (name: string) => {
    const own = join(folder, 'nodes', name)
    return {
      ...homeIn(own),
      stdout: join(own, 'stdout'),
      stderr: join(own, 'stderr'),
      hooks: join(own, 'hooks.json')
    }
  }
})
export type NetnsPaths = ReturnType<ReturnType<typeof pathsOf>['node']>

export function regionPlanOf(plan: NetworkPlan): RegionPlan {
  const names = (region: string): string[] =>
    plan.nodes.filter(node => node.region === region).map(({ name }) => name)
  return {
    regions: Object.fromEntries(regionsOf(plan).map(region => [region, names(region)])),
    delaysMs: plan.delaysMs
  }
}
