/** In which order the nodes of a plan start: each after all that it depends on, and those that may start together at once. */
import { CatalogError } from '../../base/index.ts'
import type { NodePlan } from './plan.ts'

/**
 * Nodes in waves: a node stands in the first wave before which all of its `after` stand. Throws INVALID_ARGUMENT for a name that
 * no node has, and for a circle, naming those who wait for each other.
 */
export function wavesOf(nodes: readonly NodePlan[]): NodePlan[][] {
  const names = new Set(nodes.map(({ name }) => name))
  for (const { name, after } of nodes)
    for (const other of after)
      if (!names.has(other))
        throw new CatalogError('INVALID_ARGUMENT', `${name} is to start after ${other}, which is no node`)
  const waves: NodePlan[][] = []
  const started = new Set<string>()
  while (started.size < nodes.length) {
    const waiting = nodes.filter(({ name }) => !started.has(name))
    const wave = waiting.filter(({ after }) => after.every(name => started.has(name)))
    if (wave.length === 0) {
      const circle = waiting.map(({ name }) => name).join(', ')
      throw new CatalogError('INVALID_ARGUMENT', `these nodes wait for each other: ${circle}`)
    }
    for (const { name } of wave) started.add(name)
    waves.push(wave)
  }
  return waves
}
