import * as Type from 'typebox'
import { ReleaseItem } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { bytesOfRecord, RecordText } from '../record-text.ts'
import { type Route, route } from '../route.ts'

const tag = 'packages'

/** Signed changes of what is published. */
export function changeRoutes({ changes, lifecycle, releases }: NodeServices): Route[] {
  return [
    route({
      method: 'POST',
      url: '/v1/statements',
      tag,
      summary:
        'Publishes what is said of a release that is here: a signed status (yank, deprecate, archive, active again) or attestation.',
      body: Type.Object({ record: RecordText }),
      response: ReleaseItem,
      handle: ({ body, signal }) => {
        lifecycle.require(['running'], 'publish')
        return changes.say(bytesOfRecord(body.record), signal)
      }
    }),
    route({
      method: 'PUT',
      url: '/v1/packages',
      tag,
      summary:
        'Publishes new words (description, keywords, links and such) for a release that is here: a newer signed record for the same content.',
      body: Type.Object({ record: RecordText }),
      response: ReleaseItem,
      handle: ({ body, signal }) => {
        lifecycle.require(['running'], 'publish')
        return changes.revise(bytesOfRecord(body.record), signal)
      }
    }),
    route({
      method: 'GET',
      url: '/v1/records/:id',
      tag,
      summary: 'The signed record of a release that is here.',
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }),
      response: Type.Object({ id: Type.String(), record: RecordText }),
      handle: ({ params: { id } }) => ({ id, record: releases.record(id) })
    })
  ]
}
