/**
 * One release on its way into a folder: the daemon fetches it, and at the same time its files are written in staging, as
 * their blocks arrive. Nothing counts before both have ended well.
 */
import { startOperation } from '../client/operations.ts'
import type { FetchedRelease, FetchResult } from '../client/types.ts'
import type { Context } from '../framework/context.ts'

export interface ReleaseRequest {
  spec: string
  publisher?: string | undefined
  /** CID of the one content that is meant. */
  content?: string
  /** Whether it is taken although the libraries that have it may be out of date. */
  stale?: boolean | undefined
}

/** Takes the tar of a release, whose bytes may come as slowly as the fetch. */
export type Take = (release: FetchedRelease, tar: AsyncIterable<Uint8Array>) => Promise<void>

/**
 * Has a release fetched, and hands its tar to `take` as soon as it is known which release is meant. When anything fails, the
 * fetch is cancelled; what has come of it stays with the daemon, and the next try goes on from there.
 */
export async function fetchInto(context: Context, request: ReleaseRequest, take: Take): Promise<FetchResult> {
  const fetch = await startOperation<FetchResult>(context, { path: '/v1/fetches', body: request })
  try {
    const release = await fetch.release()
    const fromFetch = fetch.isRunning ? `?fetch=${encodeURIComponent(fetch.id)}` : ''
    const path = `/v1/contents/${encodeURIComponent(release.content)}/tar${fromFetch}`
    await take(release, context.client().download(path, context.signal))
    return await fetch.result()
  } catch (error) {
    await fetch.cancel()
    throw error
  } finally {
    context.progress.finish()
  }
}
