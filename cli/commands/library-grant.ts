import { defineCommand } from '../framework/tree.ts'
import { changeLibrary } from './audience.ts'

export const run = defineCommand((context, [name, joining]: [string, string[]]) =>
  changeLibrary(context, name, { joining })
)
