import * as Type from 'typebox'
import { CatalogError } from '../../../base/index.ts'
import { Conflict, ConflictItem, ConflictRule, StrategyName } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'

const tag = 'packages'
const DEFAULT_PAGE = 100
const MAX_PAGE = 1000

const params = Type.Object({ name: Type.String({ minLength: 1, maxLength: 130 }) })

/** Names that several owners claim. */
export function conflictRoutes({ conflicts }: NodeServices): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/conflicts',
      tag,
      summary:
        'Names that several owners publish here, or of which one signed several contents as one version, page by page; a page may have fewer than there is room for.',
      query: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE })),
        after: Type.Optional(Type.String({ maxLength: 130 }))
      }),
      response: Type.Object({ conflicts: Type.Array(ConflictItem), next: Type.Optional(Type.String()) }),
      handle: ({ query, signal }) => conflicts.list(query.limit ?? DEFAULT_PAGE, query.after, signal)
    }),
    route({
      method: 'GET',
      url: '/v1/conflicts/:name',
      tag,
      summary: 'Everybody who publishes a name, with what each can show, and what follows from it here.',
      params,
      query: Type.Object({ network: Type.Optional(Type.Boolean()) }),
      response: Conflict,
      handle: ({ params: { name }, query, signal }) => conflicts.show(name, query.network ?? false, signal)
    }),
    route({
      method: 'PUT',
      url: '/v1/conflicts/:name',
      tag,
      summary:
        'Settles whose a name is (`owner`, which pins it), or how conflicts of a name or @scope are looked at (`strategy`).',
      params,
      body: Type.Object({
        owner: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
        strategy: Type.Optional(StrategyName)
      }),
      response: ConflictRule,
      handle: ({ params: { name }, body: { owner, strategy }, signal }) => {
        if ((owner === undefined) === (strategy === undefined))
          throw new CatalogError('INVALID_ARGUMENT', 'give an owner or a strategy, and not both')
        return conflicts.resolve(name, owner === undefined ? { strategy } : { owner }, signal)
      }
    }),
    route({
      method: 'DELETE',
      url: '/v1/conflicts/:name',
      tag,
      summary: 'Lets the configured strategy hold for a name or @scope again; a pin stays.',
      params,
      response: ConflictRule,
      handle: ({ params: { name }, signal }) => conflicts.resolve(name, { strategy: undefined }, signal)
    })
  ]
}
