/**
 * The networks that the testnet knows to plan. In all of them a publisher's releases are followed by the mirrors, so that they outlive
 * it; they differ in who starts after whom, and joins the network through whom:
 *
 *   mesh           all others after the seeds, through all of them
 *   hierarchical   mirrors after the seeds; publishers and consumers after, and through, a mirror of their region
 *   pipeline       one after the other: seeds, publishers, mirrors, consumers, each through the one before
 */
import { CatalogError } from '../../base/index.ts'
import { type NetworkPlan, type NodePlan, ROLES, type Role, type Topology } from './plan.ts'

export interface NetworkSize {
  readonly topology: Topology
  readonly regions: readonly string[]
  /** How many of each; none of a role that is not named. There is at least one seed. */
  readonly counts: Readonly<Partial<Record<Role, number>>>
  /** Of single nodes, by name: settings beside those of their role. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Nodes with a disk of their own. */
  readonly diskBytes?: Readonly<Record<string, number>>
}

/** More would not fit the addresses of a driver, or the patience of who waits for it. */
const MAX_NODES = 100
const REGION_NAME = /^[a-z][a-z0-9-]{0,15}$/
/** One way, between regions as far apart as continents are; of two that are not here, the last. */
const DELAYS_MS: Readonly<Record<string, number>> = { 'eu us': 40, 'eu ap': 90, 'us ap': 70 }
const OTHER_DELAY_MS = 50

/** Copies soon, as nobody wants to look on for the hours that the Internet takes. */
const MIRROR_SETTINGS = {
  'mirroring.enabled': 'true',
  'mirror.strategy': 'geographic',
  'mirror.min': '1',
  'mirror.target': '2',
  'mirror.max': '3',
  'mirror.grace': '5s',
  'mirror.quota': '1GB'
}
const ROLE_SETTINGS: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
  seed: {},
  publisher: {},
  mirror: MIRROR_SETTINGS,
  consumer: {}
}

/** A plan from how many of what. Nodes are `ROLE1`, `ROLE2`, …, and all of them take turns in the regions. Pure. */
export function planNetwork(size: NetworkSize): NetworkPlan {
  const { topology, regions, counts } = size
  const total = ROLES.reduce((sum, role) => sum + (counts[role] ?? 0), 0)
  expectRegions(regions)
  if ((counts.seed ?? 0) < 1) throw new CatalogError('INVALID_ARGUMENT', 'a network has at least one seed')
  if (total > MAX_NODES)
    throw new CatalogError('INVALID_ARGUMENT', `${total} nodes, a network has at most ${MAX_NODES}`)
  const names = ROLES.flatMap(role =>
    Array.from({ length: counts[role] ?? 0 }, (_, at) => ({ role, name: `${role}${at + 1}` }))
  )
  // All take turns, not those of a role: one of each role in two regions would else be in the first.
  const nodes = names.map((one, at) => ({ ...node(size, one), region: regions[at % regions.length]! }))
  const publishers = nodes.filter(({ role }) => role === 'publisher').map(({ name }) => name)
  const withFollows = nodes.map(one => (one.role === 'mirror' ? { ...one, follows: publishers } : one))
  return {
    topology,
    nodes: withFollows.map((one, at) => ({ ...one, after: AFTER[topology](one, withFollows, at) })),
    // A region that no node came to has no host a link could end at.
    delaysMs: delaysBetween(regions.filter(region => nodes.some(one => one.region === region)))
  }
}

/** Namespaces, links and containers are named after regions. */
function expectRegions(regions: readonly string[]): void {
  const wrong = regions.find((name, at) => !REGION_NAME.test(name) || regions.indexOf(name) !== at)
  if (wrong === undefined) return
  const what = REGION_NAME.test(wrong)
    ? `there are two regions ${wrong}`
    : `'${wrong}' is no name of a region`
  throw new CatalogError('INVALID_ARGUMENT', what, {
    hint: 'name them apart, by up to 16 small letters, digits and hyphens, such as eu,us,ap'
  })
}

function node(size: NetworkSize, { role, name }: Pick<NodePlan, 'role' | 'name'>): Omit<NodePlan, 'region'> {
  const diskBytes = size.diskBytes?.[name]
  return {
    name,
    role,
    after: [],
    follows: [],
    settings: { ...ROLE_SETTINGS[role], ...size.settings?.[name] },
    limits: diskBytes === undefined ? {} : { diskBytes }
  }
}

/** The nodes that one starts after; `at` is its place among all. */
type After = (node: NodePlan, nodes: readonly NodePlan[], at: number) => string[]

const namesOf = (nodes: readonly NodePlan[]): string[] => nodes.map(({ name }) => name)
/** All of them, or for a seed those before it: seeds that nobody joins with each other would be as many networks. */
const seedsFor = ({ name, role }: NodePlan, nodes: readonly NodePlan[]): string[] => {
  const seeds = namesOf(nodes.filter(other => other.role === 'seed'))
  return role === 'seed' ? seeds.slice(0, seeds.indexOf(name)) : seeds
}

const AFTER: Readonly<Record<Topology, After>> = {
  mesh: seedsFor,
  hierarchical: (node, nodes) => {
    const isLeaf = node.role === 'publisher' || node.role === 'consumer'
    const mirror = nodes.find(({ role, region }) => role === 'mirror' && region === node.region)
    return isLeaf && mirror !== undefined ? [mirror.name] : seedsFor(node, nodes)
  },
  pipeline: (_, nodes, at) => (at === 0 ? [] : [nodes[at - 1]!.name])
}

function delaysBetween(regions: readonly string[]): Record<string, number> {
  const pairs = regions.flatMap((one, at) => regions.slice(at + 1).map(other => `${one} ${other}`))
  return Object.fromEntries(pairs.map(pair => [pair, DELAYS_MS[pair] ?? OTHER_DELAY_MS]))
}
