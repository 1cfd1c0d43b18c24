import { COMMANDS, GLOBAL_OPTIONS } from '../commands.ts'
import { completionScript, type Shell } from '../framework/completion.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [shell]: [Shell]) => {
  const script = completionScript(shell, COMMANDS, GLOBAL_OPTIONS)
  if (context.output.json) context.output.result({ shell, script }, () => '')
  else context.output.raw(script)
})
