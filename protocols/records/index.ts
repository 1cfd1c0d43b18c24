/**
 * Records between peers, as two requests of control/1: releases by id (method 16) and by name (method 17), each with its status and
 * attestations. Answers hold signed record bytes and nothing else, bounded in number and size, and the asker verifies each before
 * anybody sees it. Not its business: whom to ask, which of several releases is the right one, and keeping them in step (sync).
 * In: ids or a name and a peer; out: verified releases and statements, and a report of every forged one.
 */
export {
  type ListReleases,
  type PeerReleasePage,
  type PeerReleases,
  RecordClient,
  type RecordClientModules
} from './client.ts'
export { type RecordServerModules, serveRecords } from './server.ts'
export { getRecords, listReleases, MAX_RECORDS_PER_ANSWER } from './types.ts'
