/** What the soak reads of a node's metrics, in the text format of Prometheus. */
import { SECOND_MS } from '../../base/index.ts'
import type { Sample } from './history.ts'

interface Row {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Throws when one of the metrics is not there: its name was changed, and nothing would be judged. */
export function sampleOf(text: string): Omit<Sample, 'atMs'> {
  const rows = rowsOf(text)
  const value = (name: string, wanted: Record<string, string> = {}): number => {
    const row = rows.find(
      one => one.name === name && Object.entries(wanted).every(([label, what]) => one.labels[label] === what)
    )
    if (row === undefined) throw new Error(`the node has no metric ${name}`)
    return row.value
  }
  const errors: Record<string, number> = {}
  for (const row of rows)
    if (row.name === 'catalog_node_errors_total')
      errors[row.labels.code!] = (errors[row.labels.code!] ?? 0) + row.value
  return {
    uptimeMs: value('catalog_node_uptime_seconds') * SECOND_MS,
    rssBytes: value('catalog_node_memory_rss_bytes'),
    openFiles: value('catalog_node_open_files'),
    loopP99Ms:
      value('catalog_node_event_loop_delay_seconds', { window: 'last', quantile: '0.99' }) * SECOND_MS,
    errors
  }
}

/** Labels of these metrics have no quotes or backslashes in their values. */
function rowsOf(text: string): Row[] {
  return [...text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name, labels = '', value]) => ({
      name: name!,
      labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, of]) => [key, of])),
      value: Number(value)
    })
  )
}
