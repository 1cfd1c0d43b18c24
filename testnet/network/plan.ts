/** A network as data: which nodes there are, where, with which settings, and what each starts after. Drivers make it real. */
import { CatalogError } from '../../base/index.ts'
import { type LinkSettings, PLAIN_LINK } from '../links/settings.ts'

/** What a node is there for: to be joined through, to publish, to hold copies for others, or to fetch. */
export const ROLES = ['seed', 'publisher', 'mirror', 'consumer'] as const
export type Role = (typeof ROLES)[number]

export const TOPOLOGIES = ['mesh', 'hierarchical', 'pipeline'] as const
export type Topology = (typeof TOPOLOGIES)[number]

/** What a node may use of the machine; a driver keeps those that it can and says so of the others. */
export interface NodeLimits {
  /** Its home is on a disk of its own of that size, which can be filled up. */
  readonly diskBytes?: number
  readonly memoryBytes?: number
  readonly cpus?: number
}

export interface NodePlan {
  /** `[a-z][a-z0-9-]*`, unique in the network. */
  readonly name: string
  readonly role: Role
  readonly region: string
  /** Nodes that are ready before it starts, and that it joins the network through. */
  readonly after: readonly string[]
  /** Nodes whose home library it keeps a copy of. */
  readonly follows: readonly string[]
  /** As with `catalog daemon --set`. Addresses, the home and `follows` are the driver's to set. */
  readonly settings: Readonly<Record<string, string>>
  readonly limits: NodeLimits
}

export interface NetworkPlan {
  readonly topology: Topology
  readonly nodes: readonly NodePlan[]
  /** One way in milliseconds, for each two regions: `'eu us': 40`. */
  readonly delaysMs: Readonly<Record<string, number>>
}

/** Regions in the order in which the plan names them first. */
export function regionsOf(plan: NetworkPlan): string[] {
  return [...new Set(plan.nodes.map(({ region }) => region))]
}

export function nodesOf(plan: NetworkPlan, role: Role): NodePlan[] {
  return plan.nodes.filter(node => node.role === role)
}

/** The regions that a link joins to this one. */
export function neighboursOf(plan: NetworkPlan, region: string): string[] {
  return Object.keys(plan.delaysMs)
    .map(pair => pair.split(' '))
    .filter(pair => pair.includes(region))
    .map(([one, other]) => (one === region ? other! : one!))
}

/** What the link between two regions is like while nobody hurts it. Throws for two that no link joins. */
export function plannedLink(plan: NetworkPlan, one: string, other: string): LinkSettings {
  const delayMs = plan.delaysMs[`${one} ${other}`] ?? plan.delaysMs[`${other} ${one}`]
  if (delayMs === undefined) throw new CatalogError('NOT_FOUND', `no link joins ${one} and ${other}`)
  return { ...PLAIN_LINK, delayMs }
}
