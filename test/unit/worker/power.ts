/** A home whose database forgets at a power cut what was not synced, as LevelDB may. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { vi } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { type Level, LevelReader, openLevel } from '../../../library/database/level.ts'
import type { Database, DatabaseSnapshot, WriteOperation } from '../../../library/database/types.ts'
import { createRegistry, type Registry } from '../../../library/registry/index.ts'
import { WorkerHost } from '../../../library/worker/host.ts'
import { LibrarySets } from '../../../sync/index.ts'
import { testCompanion, testNodeKey } from '../../library.ts'
import { NOW_MS } from '../records/examples.ts'

const clock = { ...systemClock, now: () => NOW_MS }

export interface Batch {
  operations: WriteOperation[]
  sync: boolean
}

/** Told of each batch before it is written; what it throws is what the disk answers. */
type Fail = (batch: Batch) => void

/** The worker's host in this thread, on a real LevelDB whose batches are noted as they are answered. */
export class PoweredHome {
  readonly home: string
  readonly host: WorkerHost
  /** Reads here, writes through the host: what the main thread gives to other parts. */
  readonly database: Database
  /** Of the home library, with the time of the examples. */
  readonly registry: Registry
  readonly sets: LibrarySets
  readonly #level: Level
  readonly #batches: Batch[]
  readonly #fail: Fail

  private constructor(home: string, level: Level, { batches, fail }: { batches: Batch[]; fail: Fail }) {
    const settings = {
      home,
      databaseFolder: join(home, 'db'),
      segmentsFolder: join(home, 'segments'),
      quotaBytes: 0,
      compression: 'zstd' as const
    }
    this.home = home
    this.host = new WorkerHost({ log: silentLogger, companion: testCompanion }, settings)
    this.#level = level
    this.#batches = batches
    this.#fail = fail
    const reader = new LevelReader(level)
    this.database = {
      get: key => reader.get(key),
      getMany: keys => reader.getMany(keys),
      iterate: (range, signal) => reader.iterate(range, signal),
      write: async (operations, { sync }) => {
        await this.host.handle('databaseWrite', { operations, sync }, new AbortController().signal)
      }
    }
    const { signal } = new AbortController()
    this.registry = createRegistry({
      database: this.database,
      writer: {
        write: request => this.host.handle('registryWrite', request, signal),
        addAll: request => this.host.handle('registryAddAll', request, signal),
        remove: async (recHash, nowMs) => {
          await this.host.handle('registryRemove', { recHash, nowMs }, signal)
        }
      },
      clock
    })
    this.sets = new LibrarySets(
      {
        library: {
          snapshot: () => this.snapshot(),
          companion: (method, parameters) => this.host.handle('companion', { method, parameters }, signal),
          holdWorker: () => () => undefined
        },
        clock,
        log: silentLogger
      },
      { writer: testNodeKey.publicKey }
    )
  }

  static async open(survived: Batch[] = [], fail: Fail = () => {}): Promise<PoweredHome> {
    const home = await mkdtemp(join(tmpdir(), 'catalog-power-'))
    await mkdir(join(home, 'db'))
    const level = await openLevel(join(home, 'db'))
    for (const { operations } of survived) await level.batch(operations)
    const batches = [...survived]
    const original = ClassicLevel.prototype.batch as (operations: unknown, options: unknown) => Promise<void>
    vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(async function (
      this: ClassicLevel,
      ...[operations, options]: unknown[]
    ) {
      const batch = {
        operations: operations as WriteOperation[],
        sync: (options as { sync?: boolean }).sync === true
      }
      fail(batch)
      await original.call(this, operations, options)
      batches.push(batch)
    } as never)
    return new PoweredHome(home, level, { batches, fail })
  }

  snapshot(): DatabaseSnapshot {
    return new LevelReader(this.#level).snapshot()
  }

  /**
   * The power goes now: the home again with the batches up to the last synced one. Segments are kept whole; what is lost of
   * them is the subject of content/segments.test.ts.
   */
  async cutPower(): Promise<PoweredHome> {
    const survived = this.#batches.slice(0, this.#batches.findLastIndex(({ sync }) => sync) + 1)
    await this.close(false)
    const next = await PoweredHome.open(survived, this.#fail)
    await cp(join(this.home, 'segments'), join(next.home, 'segments'), { recursive: true }).catch(() => {})
    await rm(this.home, { recursive: true })
    return next
  }

  async close(remove = true): Promise<void> {
    await this.host.handle('close', undefined, new AbortController().signal)
    await this.#level.close()
    vi.restoreAllMocks()
    if (remove) await rm(this.home, { recursive: true })
  }
}
