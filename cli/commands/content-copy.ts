import { CatalogError, displayDuration, displaySize, ExitCode, plural } from '../../base/index.ts'
import { runOperation } from '../client/operations.ts'
import type { CopyResult } from '../client/types.ts'
import { resolvePath } from '../framework/context.ts'
import { displayRate, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, _args: [], options: { to?: string }) => {
  if (options.to === undefined)
    throw new CatalogError('INVALID_ARGUMENT', 'where to is not said', {
      hint: 'give --to DIR, another home; `catalog init --home DIR` makes one'
    })
  const body = { to: resolvePath(context, options.to) }
  const result = await runOperation<CopyResult>(context, { path: '/v1/copies', body })
  if (!result.ok) context.exitCode = ExitCode.Failed
  context.output.result(result, () => {
    const { copiedBytes, reusedBytes, tookMs } = result
    const took = `${displayDuration(tookMs)}, ${displayRate(copiedBytes, tookMs)}`
    const copied = copiedBytes > 0 ? `${displaySize(copiedBytes)} copied in ${took}` : 'nothing to copy'
    const there = reusedBytes > 0 ? `, ${displaySize(reusedBytes)} were there` : ''
    const failed = `${plural(result.failed, 'release')} not copied; \`catalog verify --all --repair\` mends what is damaged here`
    return [
      ...result.notCopied.map(({ release, error }) => printable(`not copied: ${release} (${error})`)),
      `${plural(result.releases, 'release')} in ${result.to}: ${copied}${there}`,
      ...(result.ok ? [] : [failed])
    ].join('\n')
  })
})
