import { displaySize } from '../../base/index.ts'
import type { Claimant, Conflict, ConflictRule } from '../client/types.ts'
import { formatFields, formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [name]: [string], options: { local?: boolean }) => {
  const conflict = await context
    .client()
    .request<Conflict>('GET', `/v1/conflicts/${encodeURIComponent(name)}`, {
      query: { network: options.local !== true },
      signal: context.signal
    })
  context.output.result(conflict, () =>
    [
      formatFields([
        ['name', conflict.name],
        ['outcome', conflict.outcome],
        ['strategy', strategyText(conflict)],
        ['pinned', conflict.pinned ?? 'nobody']
      ]),
      ...conflict.claimants.map(claimantText)
    ].join('\n\n')
  )
})

/** `manual`, `merge (set here for @acme)`, `merge (configured for left-pad)`. */
export function strategyText({ strategy, origin, subject }: ConflictRule): string {
  if (subject === undefined) return strategy
  return `${strategy} (${origin === 'node' ? 'set here' : 'configured'} for ${subject})`
}

/** The key, what speaks for it, and its claims, newest version first. */
function claimantText({ publisher, pinned, weight, claims }: Claimant): string {
  const attested = claims.flatMap(({ version, attestations }) =>
    attestations.map(said => `${version} ${said.statement} by ${said.signer}, weight ${said.weight}`)
  )
  const head = formatFields([
    ['publisher', pinned ? `${publisher} (pinned here)` : publisher],
    ['weight', weight],
    ['attested', attested.length > 0 ? attested : undefined]
  ])
  const rows = claims.map(claim => [
    claim.version,
    claim.counts ? 'counts here' : '',
    claim.equivocated ? `${claim.status}, equivocated` : claim.status,
    claim.publishedAt,
    displaySize(claim.sizeBytes),
    claim.id,
    claim.content
  ])
  const heading = ['VERSION', 'VIEW', 'STATUS', 'PUBLISHED', 'SIZE', 'RECORD', 'CONTENT']
  return `${head}\n${formatTable(heading, rows)}`
}
