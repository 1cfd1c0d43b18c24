import { CatalogError, displaySize, ExitCode, plural } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { VerifyResult } from '../client/types.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

type Tree = VerifyResult['trees'][number]

/** Lines that the text has of each kind; --json names more. */
const MAX_LINES = 20

export const run = defineCommand(
  async (context, [spec]: [string | undefined], options: { all?: boolean; repair?: boolean }) => {
    if ((spec === undefined) === (options.all !== true)) {
      const problem =
        spec === undefined ? 'verify needs a release, or --all' : 'give a release or --all, not both'
      throw new CatalogError('INVALID_ARGUMENT', problem, { hint: 'try `catalog verify --all`' })
    }
    const { repair = false } = options
    const request = { path: '/v1/verifications', body: { spec, ...(repair ? { repair } : {}) } }
    const result = await runOperation<VerifyResult>(context, request)
    if (!result.ok) context.exitCode = ExitCode.VerificationFailed
    context.output.result(result, () => {
      const checked = `${plural(result.checked, 'block')} checked, ${displaySize(result.bytes)}`
      const partial = result.partial.map(({ release, blocks, blocksKnown }) =>
        printable(`partial: ${release} (${blocks} of ${plural(blocksKnown, 'block')})`)
      )
      const bad = result.bad.map(({ release, path, id, reason }) =>
        printable(`${reason}: ${release} ${path} (${id})`)
      )
      const repaired = result.repaired.map(({ release, ok, error }) =>
        printable(ok ? `repaired: ${release}` : `not repaired: ${release} (${error ?? 'still damaged'})`)
      )
      const trees = result.trees.flatMap(tree => treeLines(tree))
      return [
        ...firstOf(bad, result.corrupt + result.missing),
        ...firstOf(partial, partial.length),
        ...firstOf(repaired, repaired.length),
        ...trees,
        `${checked}: ${verdictOf(result)}`
      ].join('\n')
    })
  }
)

function verdictOf({ corrupt, missing, repaired }: VerifyResult): string {
  if (corrupt + missing === 0) return 'all as they should be'
  const found = `${corrupt} corrupt, ${missing} missing`
  if (repaired.length === 0) return `${found}; \`catalog verify --all --repair\` fetches them again`
  return repaired.every(({ ok }) => ok)
    ? `${found}; now all fetched again`
    : `${found}; not all fetched again`
}

function treeLines({ library, ok, records, problems, problemCount, rebuilt }: Tree): string[] {
  const found = problems.map(problem => printable(`tree of ${library}: ${problem}`))
  const right = ok ? 'as it should be' : 'not as it should be'
  const verdict = rebuilt ? `built anew, now ${right}` : right
  const advice = ok || rebuilt ? '' : '; `catalog verify --all --repair` builds it anew'
  return [
    ...firstOf(found, problemCount),
    `tree of ${library}, ${plural(records, 'record')}: ${verdict}${advice}`
  ]
}

/** The first lines, and how many there are beyond them. */
function firstOf(lines: string[], total: number): string[] {
  const shown = lines.slice(0, MAX_LINES)
  return total > shown.length ? [...shown, `  and ${total - shown.length} more`] : shown
}
