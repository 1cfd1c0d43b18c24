/** Opens database and segments for the worker, and puts together what works on them. */
import type { Logger, Semaphore } from '../../base/index.ts'
import { BucketOwner, openBucket } from '../content/bucket.ts'
import { BucketSegments, type BucketSegmentsModules } from '../content/bucket-segments.ts'
import { nodeDisk } from '../content/disk.ts'
import { LocalSegments } from '../content/local-segments.ts'
import { BlockReader } from '../content/reader.ts'
import type { BlockLocation } from '../content/record.ts'
import { SegmentFiles } from '../content/segment-files.ts'
import { SegmentStore } from '../content/segments.ts'
import type { BlockId } from '../content/types.ts'
import { type Level, LevelWriter, openLevel } from '../database/level.ts'
import { Completion } from './completion.ts'
import { DamageCheck } from './damage.ts'
import { Keeping } from './keeping.ts'
import type { WorkerSettings } from './protocol.ts'
import type { Scheduler } from './scheduler.ts'

export interface OpenModules {
  log: Logger
  /** Told whenever blocks have been committed. */
  onCommitted?: () => void
  scheduler: Scheduler
  /** One change of rows at a time. */
  writes: Semaphore
}

export interface Opened {
  writer: LevelWriter
  segments: SegmentStore
  reader: BlockReader
  damage: DamageCheck
  completion: Completion
  keeping: Keeping
  /** Undefined when no bucket is configured. */
  bucket: BucketSegments | undefined
  /** Resolves when the corrupt blocks found so far are out of the index. */
  givenUp(): Promise<void>
  close(): Promise<void>
}

export async function openAll(modules: OpenModules, settings: WorkerSettings): Promise<Opened> {
  const level = await openLevel(settings.databaseFolder)
  try {
    return await openOn(level, modules, settings)
  } catch (thrown) {
    await level.close()
    throw thrown
  }
}

async function openOn(level: Level, modules: OpenModules, settings: WorkerSettings): Promise<Opened> {
  const { log, scheduler, writes } = modules
  const { segmentsFolder, quotaBytes } = settings
  const writer = new LevelWriter(level)
  const reads = new SegmentFiles(segmentsFolder)
  const local = new LocalSegments({ disk: nodeDisk, reads }, segmentsFolder)
  const bucket = await openBucketSegments({ local, index: writer, log }, settings.bucket)
  const backend = bucket ?? local
  const { onCommitted } = modules
  const segments = await SegmentStore.open(
    { backend, index: writer, log, ...(onCommitted && { onCommitted }) },
    { quotaBytes }
  )
  const givingUp = new Set<Promise<void>>()
  const onCorrupt = (id: BlockId, location: BlockLocation): void => {
    const going = giveUp(id, location).finally(() => givingUp.delete(going))
    givingUp.add(going)
  }
  const reader = new BlockReader({ index: writer, files: backend, log, onCorrupt })
  const damage = new DamageCheck({ reader, writer, scheduler, log })
  async function giveUp(id: BlockId, location: BlockLocation): Promise<void> {
    try {
      await segments.forget(id, location)
      void damage.run()
    } catch (err) {
      log.error({ err }, 'a corrupt block stays in the index')
    }
  }
  if (damage.isDue) void damage.run()
  const keeping = new Keeping({ writer, segments, reader, backend, scheduler, writes, log })
  const commit: Keeping['mark'] = (content, summary, nowMs) => keeping.mark(content, summary, nowMs)
  const completion = new Completion({ reader, writer, segments, damage, scheduler, commit })
  const givenUp = async (): Promise<void> => void (await Promise.allSettled(givingUp))
  const close = async (): Promise<void> => {
    await givenUp()
    await damage.stop()
    await segments.close()
    await level.close()
  }
  return { writer, segments, reader, damage, completion, keeping, bucket, givenUp, close }
}

async function openBucketSegments(
  modules: Pick<BucketSegmentsModules, 'local' | 'index' | 'log'>,
  settings: WorkerSettings['bucket']
): Promise<BucketSegments | undefined> {
  if (settings === undefined) return undefined
  const bucket = await openBucket(settings)
  return new BucketSegments(
    { ...modules, bucket, owner: new BucketOwner(bucket, settings.storeId) },
    settings
  )
}
