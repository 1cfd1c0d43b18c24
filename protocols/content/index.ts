/**
 * content/1: the bulk streams on which the content of a release travels, with the server, and the client that fetches a
 * whole release. A stream is about one release, for which access is checked once; requests name positions in it, never
 * bare hashes, so a peer can ask for nothing it could not have found in the release. Every block is checked on both
 * sides. Not its business: who has a release, which source is best, and how fast it may go.
 * In: the id of a signed record and peers; out: the content in the store, whole, verified and durable.
 */
export {
  createFetcher,
  type Fetcher,
  type FetcherOptions,
  type FetchModules,
  type FetchPhase,
  type FetchProgress,
  type FetchRequest,
  type FetchResult,
  type FetchSource
} from './fetch.ts'
export { PartialContents } from './partial-contents.ts'
export type { MayRead } from './served-stream.ts'
export {
  type ContentServer,
  type ContentServerModules,
  type ContentServerOptions,
  createContentServer
} from './server.ts'
export type { SourceMeasured, SourceMemory, SourceRecall } from './source-memory.ts'
export { contentProtocol } from './source-stream.ts'
export type { DownloadBudget } from './swarm/lane.ts'
export type { WayOpener } from './swarm/more-ways.ts'
export type { WayKind } from './swarm/ways.ts'
