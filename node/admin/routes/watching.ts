import * as Type from 'typebox'
import type { NodeServices } from '../../services/types.ts'
import { openApiDocument } from '../openapi.ts'
import { ANSWERED, type Route, route } from '../route.ts'
import type { Streams } from '../streams.ts'

/** `all` is asked for when the document is wanted, as it holds this route too. */
export function watchingRoutes(
  services: NodeServices,
  streams: Streams,
  all: () => readonly Route[]
): Route[] {
  const tag = 'node'
  return [
    route({
      method: 'GET',
      url: '/v1/events',
      tag,
      summary:
        'Server-sent events: state, peer, operation, release, library, mirror, partition, alert, anomaly, tuning. A client that is too slow is cut off.',
      produces: 'text/event-stream',
      handle: ({ reply, requestId }) => {
        const stream = streams.open(reply, 'events', requestId)
        stream.event(services.events.now('state', { state: services.lifecycle.state }))
        for (const alert of services.alerting.active())
          stream.event(services.events.now('alert', { state: 'raised', ...alert }))
        for (const anomaly of services.anomalies.active())
          stream.event(services.events.now('anomaly', { state: 'began', isUsualNow: false, ...anomaly }))
        stream.onEnd(services.events.listen(event => stream.event(event)))
        return ANSWERED
      }
    }),
    route({
      method: 'GET',
      url: '/metrics',
      tag,
      summary: 'Metrics in the text format of Prometheus.',
      produces: 'text/plain',
      handle: async ({ reply }) => {
        const { registry } = services.metrics
        reply.type(registry.contentType).send(await registry.metrics())
        return ANSWERED
      }
    }),
    route({
      method: 'GET',
      url: '/openapi.json',
      tag,
      summary: 'This API as an OpenAPI document.',
      response: Type.Unknown(),
      handle: () => openApiDocument(all(), services.version)
    })
  ]
}
