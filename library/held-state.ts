/**
 * All that a library has on disk, as it was at one moment, to be read for as long as a backup takes, while everything else goes on.
 *
 * A snapshot of the database says where each block stood then. The bytes of a segment up to the committed tail never change, only a whole
 * segment may go: a collection that rewrites it, or a bucket that has it, takes its file away. So every segment gets a second name first, a
 * hard link in a folder of its own, under which its bytes stay whatever becomes of the first. Nothing waits for that, and no
 * collection is kept from its work; what it frees gives its room back once the links are gone.
 *
 * In that order nothing is missed: a file goes only after the index names it no more (collect.ts), so what the snapshot names was still
 * there when the links were made, unless a segment was begun in between. Then the tail of the snapshot stands in a later segment than
 * before, and it is done again for those that came.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CatalogError, MIB } from '../base/index.ts'
import { BucketState, bucketRows } from './content/bucket-rows.ts'
import { nodeDisk } from './content/disk.ts'
import { listSegments, segmentPath } from './content/local-segments.ts'
import { decodeTail, type Tail } from './content/record.ts'
import { TAIL_KEY } from './content/segment-modules.ts'
import { type Level, LevelReader, openLevel } from './database/level.ts'
import type { DatabaseReader, DatabaseSnapshot } from './database/types.ts'

/** A second try takes milliseconds, in which no segment is filled. */
const MAX_TRIES = 20
/** Bytes of a segment that are read at once. */
const PIECE_BYTES = MIB
/** Beside the segments: links are of one file system. */
const HELD_PREFIX = 'held-'
const FOLDER_MODE = 0o700

export interface HeldSegment {
  readonly segment: number
  readonly sizeBytes: number
}

export interface HeldState {
  readonly database: DatabaseReader
  /** Rising. */
  readonly segments: readonly HeldSegment[]
  /** Those that are in the bucket, and not to be read here; rising. */
  readonly away: readonly HeldSegment[]
  /** The bytes of one, in pieces of at most 1 MiB; a piece is valid until the next is asked for. */
  read(segment: HeldSegment): AsyncGenerator<Uint8Array>
  /** Lets go of it; whoever took it closes it. */
  close(): Promise<void>
}

interface Places {
  snapshot(): DatabaseSnapshot
  /** What is there now. */
  current: Pick<DatabaseReader, 'get'>
  segmentsFolder: string
}

/** Of a library that is open. BUSY when segments come faster than they can be held, UNSUPPORTED on a file system without hard links. */
export async function holdState({ snapshot, current, segmentsFolder }: Places): Promise<HeldState> {
  const folder = join(segmentsFolder, `${HELD_PREFIX}${randomUUID()}`)
  await mkdir(folder, FOLDER_MODE)
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { segment } = decodeTail(current.get(TAIL_KEY))
      await linkAll(segmentsFolder, folder, segment)
      const taken = snapshot()
      const tail = decodeTail(taken.get(TAIL_KEY))
      if (tail.segment === segment && (await holdsTail(segmentsFolder, folder, tail)))
        return await heldIn(folder, taken, tail)
      await taken.close()
    }
    throw new CatalogError('BUSY', 'more is being written than a backup can keep up with')
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true })
    throw thrown
  }
}

/**
 * Of a home that nobody has open, and nobody can open until it is closed: its segments need no second name. Whole, too: after a crash
 * they have blocks that the next start finds. HOME_LOCKED.
 */
export async function holdStoppedState(home: string): Promise<HeldState> {
  const level = await openLevel(join(home, 'db'))
  try {
    const database = new LevelReader(level)
    const folder = join(home, 'segments')
    const { segments, away } = await segmentsIn(folder, database)
    return { database, segments, away, read: piecesIn(folder), close: () => level.close() }
  } catch (thrown) {
    await level.close()
    throw thrown
  }
}

/** Takes away what a process that was killed has held. The caller has the lock on the home. */
export async function dropHeld(segmentsFolder: string): Promise<void> {
  const names = await readdir(segmentsFolder).catch(thrown => {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw thrown
  })
  for (const name of names)
    if (name.startsWith(HELD_PREFIX)) await rm(join(segmentsFolder, name), { recursive: true, force: true })
}

/** What `holdState` needs of an open library. */
export const placesOf = (level: Level, segmentsFolder: string): Places => {
  const current = new LevelReader(level)
  return { current, snapshot: () => current.snapshot(), segmentsFolder }
}

async function linkAll(from: string, to: string, last: number): Promise<void> {
  const linked = new Set(await listSegments(nodeDisk, to))
  for (const segment of await listSegments(nodeDisk, from))
    if (segment <= last && !linked.has(segment)) await linkOne(from, to, segment)
}

/** False when it is gone. */
async function linkOne(from: string, to: string, segment: number): Promise<boolean> {
  try {
    await link(segmentPath(from, segment), segmentPath(to, segment))
    return true
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') return true
    if (code === 'ENOENT') return false
    if (!WITHOUT_LINKS.has(code)) throw cause
    throw new CatalogError('UNSUPPORTED', `the file system of ${from} has no hard links (${code})`, {
      hint: 'stop the daemon, and run the same again: the backup of a home without one needs none',
      cause
    })
  }
}

const WITHOUT_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'])

/** The segment of the tail may have got its first bytes since the others were linked. */
async function holdsTail(from: string, to: string, { segment, offsetBytes }: Tail): Promise<boolean> {
  return offsetBytes === 0 || (await linkOne(from, to, segment))
}

async function heldIn(folder: string, snapshot: DatabaseSnapshot, tail: Tail): Promise<HeldState> {
  const { segments, away } = await segmentsIn(folder, snapshot)
  // What was written after it is no part of that moment.
  const cut = segments.flatMap(one =>
    one.segment < tail.segment ? [one] : tail.offsetBytes > 0 ? [{ ...one, sizeBytes: tail.offsetBytes }] : []
  )
  const close = async (): Promise<void> => {
    await snapshot.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { database: snapshot, segments: cut, away, read: piecesIn(folder), close }
}

/** The segments of a folder, and those that are in the bucket. */
export async function segmentsIn(
  folder: string,
  database: DatabaseReader
): Promise<Pick<HeldState, 'segments' | 'away'>> {
  const away: HeldSegment[] = []
  for await (const [segment, { state, sizeBytes }] of bucketRows(database))
    if (state === BucketState.Sent) away.push({ segment, sizeBytes })
  const sent = new Set(away.map(({ segment }) => segment))
  const segments: HeldSegment[] = []
  for (const segment of await listSegments(nodeDisk, folder))
    if (!sent.has(segment))
      segments.push({ segment, sizeBytes: (await stat(segmentPath(folder, segment))).size })
  return { segments, away }
}

/** Reads the segments of a folder. DISK_IO when one is shorter than was said. */
function piecesIn(folder: string): HeldState['read'] {
  return async function* ({ segment, sizeBytes }) {
    const path = segmentPath(folder, segment)
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
      for (let at = 0; at < sizeBytes; ) {
        const wanted = Math.min(PIECE_BYTES, sizeBytes - at)
        const { bytesRead } = await file.read(buffer, 0, wanted, at)
        if (bytesRead === 0)
          throw new CatalogError('DISK_IO', `${path} ends after ${at} of ${sizeBytes} bytes`)
        yield buffer.subarray(0, bytesRead)
        at += bytesRead
      }
    } finally {
      await file.close()
    }
  }
}
