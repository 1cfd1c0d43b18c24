import { CatalogError } from '../../base/index.ts'
import { type NetworkPlan, nodesOf, ROLES, regionsOf } from './plan.ts'
import type { NetworkSize } from './topologies.ts'

/** Why a scenario that needs a network of this size cannot run on one that is there; undefined when it can. Pure. */
export function whyNotFit(plan: NetworkPlan, size: NetworkSize): string | undefined {
  const regions = regionsOf(plan).length
  if (regions < size.regions.length) return `${regions} regions, ${size.regions.length} are needed`
  for (const role of ROLES) {
    const [has, needs] = [nodesOf(plan, role).length, size.counts[role] ?? 0]
    if (has < needs) return `${has} nodes with the role ${role}, ${needs} are needed`
  }
  for (const name of Object.keys(size.diskBytes ?? {}))
    if (plan.nodes.find(node => node.name === name)?.limits.diskBytes === undefined)
      return `${name} has no disk of its own`
  return undefined
}

/** `seed=1,publisher=2`. Throws INVALID_ARGUMENT. */
export function parseCounts(text: string): NetworkSize['counts'] {
  const entries = text.split(',').map(word => {
    const [role, count] = word.split('=')
    const number = Number(count)
    if (!ROLES.some(known => known === role) || !Number.isSafeInteger(number) || number < 0)
      throw new CatalogError('INVALID_ARGUMENT', `${word} is not ROLE=COUNT with one of ${ROLES.join(', ')}`)
    return [role, number] as const
  })
  if (new Set(entries.map(([role]) => role)).size < entries.length)
    throw new CatalogError('INVALID_ARGUMENT', `${text} names a role twice`)
  return Object.fromEntries(entries)
}
