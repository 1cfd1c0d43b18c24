/** What writer and recovery of the segments both need: their modules, and where things stand. */
import type { Logger } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { KeyRange, WriteOperation } from '../database/types.ts'
import type { SegmentBackend } from './segment-backend.ts'

/** What the store needs of LevelDB. */
export interface BlockIndex {
  get(key: Uint8Array): Uint8Array | undefined
  /** In the order of the keys. */
  iterate(range: KeyRange): AsyncIterable<[Uint8Array, Uint8Array]>
  batch(operations: WriteOperation[], options: { sync: boolean }): Promise<void>
  /** Deletes every key that begins with these bytes. */
  clear(prefix: Uint8Array): Promise<void>
}

export interface SegmentModules {
  backend: SegmentBackend
  index: BlockIndex
  log: Logger
  /** Told after each commit: what was in that stage can be read. */
  onCommitted?: () => void
}

/** The key of the committed tail. */
export const TAIL_KEY = makeKey(KeyFamily.Tail)
/** There while a block was given up and the marks of contents were not checked since (worker/damage.ts). */
export const DAMAGE_KEY = makeKey(KeyFamily.Damage)
