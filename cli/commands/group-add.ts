import { defineCommand } from '../framework/tree.ts'
import { changeGroup } from './audience.ts'

export const run = defineCommand((context, [name, joining]: [string, string[]]) =>
  changeGroup(context, name, { joining })
)
