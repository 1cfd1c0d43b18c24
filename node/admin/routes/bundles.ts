import * as Type from 'typebox'
import { BUNDLE_TYPE } from '../../../sync/index.ts'
import { BundleResult } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { type Route, route } from '../route.ts'
import type { Streams } from '../streams.ts'
import { bodyOf } from '../tar.ts'

const tag = 'packages'
/** As many as fit on a command line that a person reads. */
const MAX_SPECS_CHARS = 16_384

export function bundleRoutes({ bundling, lifecycle }: NodeServices, streams: Streams): Route[] {
  return [
    route({
      method: 'GET',
      url: '/v1/bundle',
      tag,
      summary:
        'Releases of a library as one file, with the head of the library, proofs and contents; the trailer x-catalog-status says how it ended.',
      query: Type.Object({
        specs: Type.Optional(
          Type.String({
            maxLength: MAX_SPECS_CHARS,
            description: 'Specifications, a line each; all of the library without them.'
          })
        ),
        library: Type.Optional(
          Type.String({
            maxLength: 128,
            description:
              'NAME of a library of this node, home unless given, or PEERID[/NAME] of one that is followed here.'
          })
        )
      }),
      produces: BUNDLE_TYPE,
      handle: ({ query: { specs, library }, reply, requestId, signal }) => {
        lifecycle.require(['running', 'paused'], 'make a bundle')
        const request = {
          specs: specs === undefined ? [] : specs.split('\n'),
          ...(library === undefined ? {} : { library })
        }
        return streams.send(reply, { requestId, type: BUNDLE_TYPE }, bundling.create(request, signal))
      }
    }),
    route({
      method: 'POST',
      url: '/v1/bundles',
      tag,
      summary: 'Takes a bundle in: every record, proof and block verified; what came before an error stays.',
      consumes: BUNDLE_TYPE,
      status: 201,
      response: BundleResult,
      handle: ({ request, signal }) => {
        lifecycle.require(['running', 'paused'], 'take a bundle in')
        return bundling.import(bodyOf(request.raw, 'the bundle'), signal)
      }
    })
  ]
}
