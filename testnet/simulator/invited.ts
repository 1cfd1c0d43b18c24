import { varint } from 'multiformats'
import {
  decodeSyncFrame,
  MAX_TOLD_CHANGES,
  type SyncKind,
  type SyncMessage,
  WANT_KEY_BYTES
} from '../../protocols/index.ts'
import { HELLO_CELLS, MAX_SKETCH_CELLS } from '../../sync/index.ts'
import { hex } from './records.ts'

/** Numbers of kinds on the wire. */
const HELLO = 2
const SKETCH = 3
const DESCEND = 4
const WANT = 5

/**
 * Which records a side has let come with its last turn, as that stands on the wire: those whose keys it asked for, a few after its
 * own cells, which only the other side could read, or where it asked for all changes, and none else. After a comparison of tries whatever comes passes here, as that
 * would take the tries.
 */
export class Invited {
  readonly #keys = new Set<string>()
  #more = 0

  /** A turn is said. */
  said(frames: readonly Uint8Array[]): void {
    this.#keys.clear()
    this.#more = 0
    for (const frame of frames) {
      const [kind] = frame
      if (kind === HELLO) this.#more = asksForChanges(frame) ? MAX_TOLD_CHANGES : HELLO_CELLS
      if (kind === SKETCH) this.#more = MAX_SKETCH_CELLS
      if (kind === DESCEND) this.#more = Number.POSITIVE_INFINITY
      if (kind === WANT) for (const key of keysOf(frame)) this.#keys.add(key)
    }
  }

  /** Whether a record under this key may come now. */
  admits(trieKey: Uint8Array): boolean {
    return this.#keys.has(hex(trieKey.subarray(0, WANT_KEY_BYTES))) || this.#more-- > 0
  }
}

function asksForChanges(frame: Uint8Array): boolean {
  const message = messageIn(frame, 'hello')
  return message.kind === 'hello' && (message.body.epoch ?? 0) > 0
}

function keysOf(frame: Uint8Array): string[] {
  const message = messageIn(frame, 'want')
  if (message.kind !== 'want') return []
  const column = hex(message.body.keys)
  const digits = 2 * WANT_KEY_BYTES
  return Array.from({ length: column.length / digits }, (_, at) =>
    column.slice(at * digits, (at + 1) * digits)
  )
}

/** Behind the number of its kind a frame has its length. */
function messageIn(frame: Uint8Array, kind: SyncKind): SyncMessage {
  const [, lengthBytes] = varint.decode(frame, 1)
  return decodeSyncFrame({ kind, body: Uint8Array.from(frame.subarray(1 + lengthBytes)) })
}
