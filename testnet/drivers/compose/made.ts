/** What the driver has made of a plan, as it stands in the state file. */
import { join } from 'node:path'
import type { LinkSettings } from '../../links/settings.ts'
import type { NetworkPlan } from '../../network/plan.ts'
import { homeIn } from '../local-node.ts'
import type { StateStore } from '../state.ts'

export interface Made {
  /** Of Compose: before the names of the containers and the network. */
  readonly project: string
  /** First three numbers of all addresses. */
  readonly subnet: string
  /** Why packets cannot be delayed here; the delays of the plan are then left out. Absent when they can. */
  readonly whyNoDelay?: string
  readonly nodes: Readonly<Record<string, MadeNode>>
  /** Links that are not as planned, by `ONE OTHER` as in the plan. */
  readonly links: Readonly<Record<string, MadeLink>>
}

export interface MadeNode {
  readonly peerId: string
  readonly image: string
}

export interface MadeLink {
  readonly settings: LinkSettings
  readonly isCut: boolean
}

/** Where a container has its home. */
export const HOME_THERE = '/var/lib/catalog'
/** The first address that is neither the network's nor the bridge's. */
const FIRST_HOST = 2
/** Of a network of 256 addresses. */
export const MAX_NODES = 250

export type MadeStore = StateStore<Made>

/** Where things are below the folder of a network. */
export const pathsOf = (folder: string) => ({
  composeFile: join(folder, 'compose.json'),
  node: (name: string) => {
    const own = join(folder, 'nodes', name)
    return {
      ...homeIn(own),
      /** What the container sees as /run/catalog. */
      run: join(own, 'run'),
      hooks: join(own, 'run', 'hooks.json')
    }
  }
})

export const containerOf = ({ project }: Made, name: string): string => `${project}-${name}`

/** The same for as long as there is the network. */
export function ipOf(plan: NetworkPlan, { subnet }: Made, name: string): string {
  return `${subnet}.${FIRST_HOST + plan.nodes.findIndex(node => node.name === name)}`
}
