import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LevelWriter, openLevel } from '../../../library/database/level.ts'
import type { Database, DatabaseReader, KeyRange, WriteOperation } from '../../../library/database/types.ts'
import { PLANS, planAddAll, type RegistryWriter } from '../../../library/registry/index.ts'
import { planRemove } from '../../../library/registry/plan-remove.ts'

export interface TestDatabase extends Database {
  close(): Promise<void>
  /** Operations of each commit. */
  readonly commits: WriteOperation[][]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

/** A sorted map: what LevelDB is, without a disk. */
export async function openMemory(): Promise<TestDatabase> {
  const rows = new Map<string, Uint8Array>()
  const commits: WriteOperation[][] = []
  const get = (key: Uint8Array): Uint8Array | undefined => rows.get(hex(key))
  async function* iterate({
    prefix,
    after,
    limit,
    reverse
  }: KeyRange): AsyncIterable<[Uint8Array, Uint8Array]> {
    let keys = [...rows.keys()].sort().filter(key => key.startsWith(hex(prefix)))
    if (reverse === true) keys.reverse()
    if (after !== undefined)
      keys = keys.filter(key => (reverse === true ? key < hex(after) : key > hex(after)))
    for (const key of keys.slice(0, limit)) yield [unhex(key), rows.get(key)!]
  }
  return {
    commits,
    get,
    getMany: async keys => keys.map(get),
    iterate,
    async write(operations) {
      commits.push(operations)
      for (const operation of operations) {
        if (operation.type === 'put') rows.set(hex(operation.key), Uint8Array.from(operation.value))
        else rows.delete(hex(operation.key))
      }
    },
    async close() {}
  }
}

/** A LevelDB in a temporary folder. */
export async function openDisk(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-registry-'))
  const level = await openLevel(folder)
  const writer = new LevelWriter(level)
  const commits: WriteOperation[][] = []
  return {
    commits,
    get: key => writer.get(key),
    getMany: keys => writer.getMany(keys),
    iterate: (range, signal) => writer.iterate(range, signal),
    async write(operations, { sync }) {
      commits.push(operations)
      await writer.batch(operations, { sync })
    },
    async close() {
      await level.close()
      await rm(folder, { recursive: true })
    }
  }
}

/** What the worker does: one plan at a time, committed before the next. */
export function serialWriter(database: Database & DatabaseReader): RegistryWriter {
  let last: Promise<unknown> = Promise.resolve()
  const next = <P extends { readonly operations: readonly WriteOperation[] }>(
    plan: () => Promise<P>
  ): Promise<P> => {
    const result = last.then(async () => {
      const planned = await plan()
      const { operations } = planned
      if (operations.length > 0) await database.write([...operations], { sync: true })
      return planned
    })
    last = result.catch(() => undefined)
    return result
  }
  return {
    write: async ({ change, record, libraryId, nowMs }) => {
      const { added, stored } = await next(() => PLANS[change](database, record, nowMs, libraryId))
      return { added, stored }
    },
    addAll: async request => {
      const slice = { due: () => true, pause: async () => undefined }
      const { outcomes, error } = await next(() => planAddAll(database, request, slice))
      return { outcomes, ...(error && { error: error.toJSON() }) }
    },
    remove: async recHash => {
      const { operations } = await planRemove(database, recHash)
      await database.write(operations, { sync: true })
    }
  }
}
