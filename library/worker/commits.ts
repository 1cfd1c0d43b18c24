import type { Semaphore } from '../../base/index.ts'
import type { DatabaseWriter, WriteOperation } from '../database/types.ts'
import type { SetCommit } from '../registry/types.ts'
import type { WorkerCompanion } from './companion.ts'

export interface CommitModules {
  writer: DatabaseWriter
  /** One change of rows at a time. */
  writes: Semaphore
  companion: Pick<WorkerCompanion, 'follow'>
}

/** What a change of records comes to. */
interface Plan {
  /** Empty when nothing changes. */
  readonly operations: readonly WriteOperation[]
  readonly sets: readonly SetCommit[]
}

/** Commits changes of records: each durably, in one batch with all that follows from it, and with no other write between plan and batch. */
export class Commits {
  readonly #modules: CommitModules

  constructor(modules: CommitModules) {
    this.#modules = modules
  }

  /** Makes a plan, commits it and returns it. */
  async run<P extends Plan>(plan: () => Promise<P>, nowMs: number): Promise<P> {
    const { writer, writes, companion } = this.#modules
    return await writes.run(async () => {
      const planned = await plan()
      if (planned.operations.length === 0) return planned
      const following = await companion.follow(planned.sets, nowMs)
      await writer.batch([...planned.operations, ...following.operations], { sync: true })
      following.committed()
      return planned
    })
  }
}
