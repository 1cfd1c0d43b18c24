import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ExitCode, plural } from '../../base/index.ts'
import { validateConfigFile } from '../../config/index.ts'
import { unreadableSettings } from '../../node/index.ts'
import { resolvePath } from '../framework/context.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { unreadable } from './input-file.ts'

export const run = defineCommand(async (context, [typed]: [string | undefined]) => {
  const file = typed === undefined ? path.join(context.home, 'config.toml') : resolvePath(context, typed)
  // A file of another machine is not checked against the environment of this one.
  const env = typed === undefined ? context.io.env : {}
  const { problems, warnings } = validateConfigFile(readText(file), file, env, unreadableSettings)
  if (problems.length > 0) context.exitCode = ExitCode.Usage
  context.output.result({ file, ok: problems.length === 0, errors: problems, warnings }, () =>
    [
      ...problems.map(({ code, message }) => `${code}: ${message}`),
      `${file}: ${plural(problems.length, 'error')}, ${plural(warnings.length, 'warning')}`
    ]
      .map(printable)
      .join('\n')
  )
  for (const warning of warnings) context.output.warn(warning)
})

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}
