/** What the driver has made of a plan, as it stands in the state file. */
import { join } from 'node:path'
import { CatalogError } from '../../../base/index.ts'
import { type NetworkPlan, regionsOf } from '../../network/plan.ts'
import type { ProcessId } from '../../process-id.ts'
import { type NetworkState, readState, writeState } from '../state.ts'
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

/** One network's state, read anew for each question: another process may have changed it. */
export class MadeStore {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  read(): NetworkState<Made> {
    const state = readState(this.folder)
    if (state === undefined) throw new CatalogError('NOT_FOUND', `no network is in ${this.folder} any more`)
    return state as NetworkState<Made>
  }

  write(state: Omit<NetworkState<Made>, 'format'>): void {
    writeState(this.folder, state)
  }

  node(name: string): MadeNode {
    return this.read().made.nodes[name]!
  }

  /** At once, without a wait in between: nodes that start at the same time all write here. */
  changeNode(name: string, change: Partial<MadeNode>): void {
    const state = this.read()
    const { made } = state
    const node = { ...made.nodes[name]!, ...change }
    this.write({ ...state, made: { ...made, nodes: { ...made.nodes, [name]: node } } })
  }
}

/** Where things are below the folder of a network. */
export const pathsOf = (folder: string) => ({
  links: join(folder, 'links'),
  node: (name: string) => {
    const own = join(folder, 'nodes', name)
    return {
      own,
      /** A disk of its own, when it has a limit. */
      disk: join(own, 'disk'),
      home: join(own, 'disk', 'home'),
      stdout: join(own, 'stdout'),
      stderr: join(own, 'stderr'),
      hooks: join(own, 'hooks.json')
    }
  }
})
export type NodePaths = ReturnType<ReturnType<typeof pathsOf>['node']>

export function regionPlanOf(plan: NetworkPlan): RegionPlan {
  const names = (region: string): string[] =>
    plan.nodes.filter(node => node.region === region).map(({ name }) => name)
  return {
    regions: Object.fromEntries(regionsOf(plan).map(region => [region, names(region)])),
    delaysMs: plan.delaysMs
  }
}
