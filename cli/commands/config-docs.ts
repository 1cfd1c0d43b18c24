import { describeConfig } from '../../config/index.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const keys = describeConfig()
  context.output.result({ keys }, () =>
    keys
      .map(({ key, env, default: value, rule, description }) => {
        const head = context.output.style('bold', key)
        return `${head} (default ${value === '' ? 'empty' : value}, ${env})\n    ${description}\n    ${rule}`
      })
      .join('\n')
  )
})
