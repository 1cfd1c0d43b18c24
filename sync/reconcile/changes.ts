/**
 * The shortest way, where it can be gone: the initiator's set is that of a head of the library's writer, the responder is this writer and
 * still knows what each head since has changed. Then nothing has to be looked for. The hello says which head it is, and instead of cells
 * it has one of zeros: a responder that tells no changes takes that for a sketch that shows nothing, and goes one of the other ways.
 * The answer is the records that came since and the keys of those that went, in one turn. Neither side believes the other: the roots say
 * whether that made the sets equal, and where it did not, the tries are compared.
 */
import {
  MAX_TOLD_CHANGES,
  SKETCH_CELL_BYTES,
  type SyncChanges,
  TRIE_KEY_BYTES
} from '../../protocols/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { SketchedRecord } from '../sketch/index.ts'
import { findRecord, rootOf, type TreeChange, type TreeView } from '../trie/index.ts'
import { type Arrivals, NO_ARRIVALS } from './arrivals.ts'
import { refused, type Session, type SessionStep, speak } from './session.ts'

/** The sketch of a hello that asks for changes: one cell, and what its count is of any set. */
export const NO_SKETCH = { cells: new Uint8Array(SKETCH_CELL_BYTES), counts: new Uint8Array(1) }

/** What may come in answer to it. */
export const TOLD: Arrivals = { ...NO_ARRIVALS, unasked: MAX_TOLD_CHANGES }

/** The responder tells what has changed since the head that the hello names. */
export function tellChanges(session: Session, view: TreeView, changes: readonly TreeChange[]): SessionStep {
  const inOrder = changes.toSorted((a, b) => Buffer.compare(a.trieKey, b.trieKey))
  const gone = inOrder.filter(({ recHash }) => recHash === undefined).map(({ trieKey }) => trieKey)
  const body = { root: rootOf(view.top), gone: Buffer.concat(gone) }
  return speak(session, {
    messages: [{ kind: 'changes', body }],
    records: recordsOf(inOrder),
    phase: { kind: 'finishing' }
  })
}

function* recordsOf(changes: readonly TreeChange[]): Generator<SketchedRecord> {
  for (const { trieKey, recHash } of changes) if (recHash !== undefined) yield { trieKey, recHash }
}

/**
 * The initiator has taken the records in; those that went are what it has and the other side lacks. It says its root whatever that is: if it
 * is the other one, the session is over, and else the responder compares the tries.
 */
export function* replyToChanges(
  session: Session,
  view: TreeView,
  { root: theirs, gone }: SyncChanges
): Generator<void, SessionStep> {
  if (session.options.epoch === undefined) throw refused('changes that nobody asked for')
  const records: SketchedRecord[] = []
  let last: Uint8Array | undefined
  for (let at = 0; at < gone.byteLength; at += TRIE_KEY_BYTES) {
    const trieKey = gone.subarray(at, at + TRIE_KEY_BYTES)
    if (last !== undefined && Buffer.compare(last, trieKey) >= 0) throw refused('keys that do not rise')
    last = trieKey
    const recHash = findRecord(view, trieKey)
    if (recHash !== undefined) records.push({ trieKey, recHash })
    yield
  }
  const root = rootOf(view.top)
  const isEqual = bytesEqual(root, theirs)
  return speak(session, {
    messages: [{ kind: 'fin', body: { root } }],
    records,
    phase: { kind: isEqual ? 'ended' : 'finishing' },
    isEqual
  })
}
