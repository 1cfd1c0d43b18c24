import type { ConfigItem } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

interface ConfigAnswer {
  values: ConfigItem[]
  warnings: unknown[]
}

export const run = defineCommand(async (context, [prefix]: [string | undefined]) => {
  const answer = await context.client().request<ConfigAnswer>('GET', '/v1/config', { signal: context.signal })
  const values =
    prefix === undefined ? answer.values : answer.values.filter(({ key }) => key.startsWith(prefix))
  context.output.result({ ...answer, values }, () =>
    formatTable(
      ['KEY', 'VALUE', 'FROM'],
      values.map(({ key, value, unit, origin }) => [
        key,
        `${typeof value === 'string' ? value : JSON.stringify(value)}${unit === undefined ? '' : ` ${unit}`}`,
        origin
      ])
    )
  )
  for (const warning of answer.warnings) context.output.warn(warningText(warning))
})

/** A warning is a sentence, or an object that holds one. */
export function warningText(warning: unknown): string {
  if (typeof warning === 'string') return warning
  const message = (warning as { message?: unknown } | null)?.message
  return typeof message === 'string' ? message : JSON.stringify(warning)
}
