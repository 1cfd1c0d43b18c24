import { completionScript, type Shell } from '../framework/completion.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [shell]: [Shell]) => {
  const script = completionScript(shell, context.program.commands, context.program.globals)
  if (context.output.json) context.output.result({ shell, script }, () => '')
  else context.output.raw(script)
})
