import { CatalogError, displaySize, ExitCode } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { VerifyResult } from '../client/types.ts'
import { plural, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

/** Lines that the text has of each kind; --json names more. */
const MAX_LINES = 20

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
      const partial = result.partial.map(({ release, blocks, blocksKnown }) =>
        printable(`partial: ${release} (${blocks} of ${blocksKnown} blocks)`)
      )
      const bad = result.bad.map(({ release, path, id, reason }) =>
        printable(`${reason}: ${release} ${path} (${id})`)
      )
      const verdict = result.ok
        ? 'all as they should be'
        : `${result.corrupt} corrupt, ${result.missing} missing; \`catalog fetch\` brings them again`
      return [
        ...firstOf(bad, result.corrupt + result.missing),
        ...firstOf(partial, partial.length),
        `${checked}: ${verdict}`
      ].join('\n')
    })
  }
)

/** The first lines, and how many there are beyond them. */
function firstOf(lines: string[], total: number): string[] {
  const shown = lines.slice(0, MAX_LINES)
  return total > shown.length ? [...shown, `  and ${total - shown.length} more`] : shown
}
