import { defineCommand } from '../framework/tree.ts'
import { changeGroup } from './audience.ts'

export const run = defineCommand((context, [name, leaving]: [string, string[]]) =>
  changeGroup(context, name, { leaving })
)
