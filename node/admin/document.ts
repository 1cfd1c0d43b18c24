import type { NodeServices } from '../services/types.ts'
import { VERSION } from '../version.ts'
import { type OpenApiDocument, openApiDocument } from './openapi.ts'
import { adminRoutes } from './routes/index.ts'
import type { Streams } from './streams.ts'

/** The OpenAPI document without a node: declaring a route asks its services nothing. */
export function adminApiDocument(): OpenApiDocument {
  return openApiDocument(adminRoutes({} as NodeServices, {} as Streams), VERSION)
}
