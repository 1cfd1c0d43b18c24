import { CatalogError, displaySize, ExitCode } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { VerifyResult } from '../client/types.ts'
import { plural, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(
  async (context, [spec]: [string | undefined], options: { all?: boolean }) => {
    if ((spec === undefined) === (options.all !== true)) {
      throw new CatalogError('INVALID_ARGUMENT', 'verify needs a release, or --all', {
        hint: 'try `catalog verify --all`'
      })
    }
    const result = await runOperation<VerifyResult>(context, { path: '/v1/verifications', body: { spec } })
    if (!result.ok) context.exitCode = ExitCode.VerificationFailed
    context.output.result(result, () => {
      const checked = `${plural(result.checked, 'block')} checked, ${displaySize(result.bytes)}`
      if (result.ok) return `${checked}: all as they should be`
      const bad = result.bad.map(({ release, path, id, reason }) =>
        printable(`${reason}: ${release} ${path} (${id})`)
      )
      return [
        ...bad,
        `${checked}: ${plural(bad.length, 'bad block')}; \`catalog fetch\` brings them again`
      ].join('\n')
    })
  }
)
