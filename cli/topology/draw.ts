/** Both forms of the drawing come of one graph. Loaded for them only: Graphviz is 1.2 MB. */
import { instance } from '@viz-js/viz'
import type { TopologyReply } from '../client/types.ts'
import { graphOf } from './graph.ts'

export async function drawn(reply: TopologyReply, format: 'dot' | 'svg'): Promise<string> {
  const viz = await instance()
  return viz.renderString(graphOf(reply), { format: format === 'dot' ? 'canon' : 'svg' })
}
