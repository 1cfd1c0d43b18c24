import * as Type from 'typebox'
import { DAY_MS } from '../../../base/index.ts'
import { LOG_LEVELS } from '../../logging/line.ts'
import { ConfigChange, ConfigReply, ErrorsReply, LevelName } from '../../schemas.ts'
import type { NodeServices } from '../../services/types.ts'
import { ANSWERED, type Route, route } from '../route.ts'
import type { Streams } from '../streams.ts'

/** How far back errors are asked for; the newest file of the log seldom begins earlier. */
const MAX_WITHIN_MS = 7 * DAY_MS

export function settingRoutes(services: NodeServices, streams: Streams): Route[] {
  return [...configRoutes(services), ...logRoutes(services, streams)]
}

function configRoutes({ config }: NodeServices): Route[] {
  const tag = 'config'
  return [
    route({
      method: 'GET',
      url: '/v1/config',
      tag,
      summary: 'Every setting in force and where it came from.',
      response: ConfigReply,
      handle: () => config.show()
    }),
    route({
      method: 'PUT',
      url: '/v1/config/:key',
      tag,
      summary: 'Writes a setting to config.toml; the answer says whether a restart is needed.',
      params: Type.Object({ key: Type.String({ minLength: 1, maxLength: 128 }) }),
      body: Type.Object({ value: Type.Unknown() }),
      response: ConfigChange,
      handle: ({ params, body }) => config.set(params.key, body.value)
    })
  ]
}

function logRoutes({ logging, logger, errors }: NodeServices, streams: Streams): Route[] {
  const tag = 'log'
  return [
    route({
      method: 'GET',
      url: '/v1/log',
      tag,
      summary: 'Recent lines of the log, then (follow=true) new ones as they are written.',
      query: Type.Object({ level: Type.Optional(LevelName), follow: Type.Optional(Type.Boolean()) }),
      produces: 'application/x-ndjson',
      handle: ({ query, reply, requestId }) => {
        const threshold = LOG_LEVELS[query.level ?? 'trace']
        const stream = streams.open(reply, 'ndjson', requestId)
        for (const line of logging.ring.recent()) if (line.level >= threshold) stream.write(line.text)
        if (query.follow !== true) {
          stream.end()
          return ANSWERED
        }
        stream.onEnd(
          logging.ring.follow(line => {
            if (line.level >= threshold) stream.write(line.text)
          })
        )
        return ANSWERED
      }
    }),
    route({
      method: 'GET',
      url: '/v1/log/errors',
      tag,
      summary: 'Distinct errors that the log told of, how often and when, the last one first.',
      query: Type.Object({
        withinMs: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MAX_WITHIN_MS,
            description: 'Those that came so long ago at most; a week unless given.'
          })
        )
      }),
      response: ErrorsReply,
      handle: ({ query }) => errors.list(query.withinMs ?? MAX_WITHIN_MS)
    }),
    route({
      method: 'PUT',
      url: '/v1/log/level',
      tag,
      summary: 'Changes the level of the log until the next start.',
      body: Type.Object({ level: LevelName }),
      response: Type.Object({ level: LevelName }),
      handle: ({ body }) => {
        const before = logging.level
        logging.level = body.level
        logger.info({ before, level: body.level }, 'log level changed')
        return { level: body.level }
      }
    })
  ]
}
