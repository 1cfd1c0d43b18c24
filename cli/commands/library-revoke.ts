import { defineCommand } from '../framework/tree.ts'
import { changeLibrary } from './audience.ts'

export const run = defineCommand((context, [name, leaving]: [string, string[]]) =>
  changeLibrary(context, name, { leaving })
)
