import type { PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, type Clock, Semaphore, showQueue } from '../../base/index.ts'
import { decodeRelease, type ReleaseRecord } from '../../library/index.ts'
import type { Control } from '../control/index.ts'
import { PeerRates } from '../exchange/peer-rates.ts'
import { MAX_ANSWER_RECORD_BYTES } from '../records/types.ts'
import { readVerified } from '../records/verified.ts'
import { NONE_HERE_MS, timeOfNotHere } from '../wire/not-here.ts'
import {
  MAX_RECORDS_PER_CONTENT,
  MAX_WANTED_CONTENTS,
  MAX_WANTED_RECORDS,
  WANTED_RATE,
  wantedReleases
} from './releases.ts'

/** Answers that are made at once for all peers, and that wait for it; more are answered BUSY. */
const MAX_ANSWERING = 1
const MAX_WAITING = 8
/** Before each record in an answer. */
const FRAMING_BYTES = 4

export interface WantedServerModules {
  readonly control: Pick<Control, 'handle'>
  /** Releases with these contents that everybody may know of, in no useful order. */
  recordsNaming(contents: readonly CID[], signal: AbortSignal): AsyncIterable<ReleaseRecord>
  readonly clock: Clock
  readonly metrics?: MetricsRegistry | undefined
}

/** Answers peers that ask which releases have some contents, from now on. */
export function serveWanted({ control, recordsNaming, clock, metrics }: WantedServerModules): void {
  const rates = new PeerRates(WANTED_RATE, clock)
  const turns = new Semaphore({
    name: wantedReleases.name,
    maxActive: MAX_ANSWERING,
    maxWaiting: MAX_WAITING
  })
  showQueue(metrics, turns)
  control.handle(wantedReleases, async ({ contents }, { peerId, signal }) => {
    rates.take(peerId.toString(), 1)
    const askedMs = clock.monotonicMs()
    const wanted = contents.map(decodeContent)
    const records = await turns.run(() => answerOf(recordsNaming(wanted, signal)), signal)
    // What is known from closed libraries only takes a little longer to pass over than what is not known.
    if (records.length === 0) await timeOfNotHere({ clock, askedMs, afterMs: NONE_HERE_MS }, signal)
    return { records }
  })
}

async function answerOf(found: AsyncIterable<ReleaseRecord>): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  const perContent = new Map<string, number>()
  let sizeBytes = 0
  for await (const { bytes, release } of found) {
    const content = release.content.toString()
    const count = perContent.get(content) ?? 0
    if (count === MAX_RECORDS_PER_CONTENT) continue
    sizeBytes += bytes.byteLength + FRAMING_BYTES
    if (sizeBytes > MAX_ANSWER_RECORD_BYTES || records.length === MAX_WANTED_RECORDS) break
    perContent.set(content, count + 1)
    records.push(bytes)
  }
  return records
}

export interface WantedClientModules {
  readonly control: Pick<Control, 'request'>
  /** A peer sent a record that is not valid or was not asked for. */
  onViolation(peerId: PeerId, error: CatalogError): void
}

/**
 * Releases that a peer has of these contents, of any number of them, verified: some of each, and complete or not, who knows. Throws
 * PROTOCOL_VIOLATION, reported, of a peer that sends others, and what `Control.request` does.
 */
export async function askWanted(
  { control, onViolation }: WantedClientModules,
  peerId: PeerId,
  contents: readonly CID[],
  signal: AbortSignal
): Promise<ReleaseRecord[]> {
  const found: ReleaseRecord[] = []
  for (let at = 0; at < contents.length; at += MAX_WANTED_CONTENTS) {
    const asked = contents.slice(at, at + MAX_WANTED_CONTENTS)
    const names = new Set(asked.map(String))
    const request = { contents: asked.map(({ bytes }) => bytes) }
    const { records } = await control.request(peerId, wantedReleases, request, { signal })
    const refused: string[] = []
    const isAsked = ({ release }: ReleaseRecord): boolean => names.has(release.content.toString())
    found.push(...(await readVerified(records, decodeRelease, isAsked, refused)))
    if (refused.length === 0) continue
    const what = `${refused.length} of ${records.length} records are refused, the first ${refused[0]}`
    const error = new CatalogError('PROTOCOL_VIOLATION', `${peerId} sent what is not wanted: ${what}`)
    onViolation(peerId, error)
    throw error
  }
  return found
}

function decodeContent(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', 'a content is not a CID', { cause })
  }
}
