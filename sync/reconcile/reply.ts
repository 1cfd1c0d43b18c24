/** What a side of a session says when it is its turn (session.ts). */
import { CatalogError } from '../../base/index.ts'
import {
  decodeShapes,
  NONCE_BYTES,
  type SketchFrame,
  type SyncHello,
  type SyncMessage,
  WANT_KEY_BYTES,
  type Want
} from '../../protocols/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  decodeCounts,
  decodeDifference,
  decodeSketch,
  encodeCells,
  encodeCounts,
  estimateDifference,
  itemOf,
  keyBytesOf,
  MAX_SKETCH_CELLS,
  type Sketch,
  type SketchItem
} from '../sketch/index.ts'
import {
  countUnder,
  entryCount,
  entryHash,
  entryKey,
  iterateEntries,
  type Path,
  rootOf,
  type TreeView
} from '../trie/index.ts'
import { NO_ARRIVALS } from './arrivals.ts'
import { NO_SKETCH, replyToChanges, TOLD, tellChanges } from './changes.ts'
import { bitsOf } from './columns.ts'
import { openComparison, replyToDescend } from './compare.ts'
import { HELLO_CELLS, HELLO_COUNTS } from './limits.ts'
import { type Offer, offeredRecords } from './offers.ts'
import { sketchFrames, wantFrames } from './pack.ts'
import { chooseTrieWay, chooseWay } from './plan.ts'
import {
  newSession,
  refused,
  type Session,
  type SessionOptions,
  type SessionStep,
  type SyncWay,
  speak
} from './session.ts'

const NOTHING = new Uint8Array(0)

/** The initiator's side: a session, and the hello to send. */
export function beginSession(view: TreeView, options: SessionOptions): SessionStep {
  const session = newSession('initiator', view, options, options.random(NONCE_BYTES))
  const { epoch } = options
  const hello: SyncMessage = {
    kind: 'hello',
    body: {
      library: options.library,
      root: rootOf(view.top),
      records: session.sizes.mine,
      revision: options.revision,
      nonce: session.nonce,
      ...(epoch === undefined ? firstCells(session) : { ...NO_SKETCH, epoch }),
      traceparent: options.traceparent ?? ''
    }
  }
  const expected = epoch === undefined ? { ...NO_ARRIVALS, unasked: HELLO_CELLS } : TOLD
  return speak(session, { messages: [hello], phase: { kind: 'greeted' }, expected })
}

/** Nothing is looked for in an empty set. */
function firstCells({ sizes, options }: Session): { cells: Uint8Array; counts: Uint8Array } {
  const sketch = options.sketch(sizes.mine > 0 ? HELLO_COUNTS : 0)
  return {
    cells: encodeCells(sketch, 0, Math.min(HELLO_CELLS, sketch.cellCount)),
    counts: encodeCounts(sketch, 0, sketch.cellCount)
  }
}

/** The responder's side: it waits for a hello. */
export const awaitSession = (view: TreeView, options: SessionOptions): Session =>
  newSession('responder', view, options, NOTHING)

/**
 * What to send now that the other side has ended its turn. `view` is the own set with all records that were admitted and found
 * good. Throws PROTOCOL_VIOLATION, LIMIT_EXCEEDED and SYNC_DIVERGED; the session has then ended.
 */
export function reply(session: Session, view: TreeView): SessionStep {
  const steps = replySteps(session, view)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The same in steps of one group or one record, for a caller that must give way between them. */
export function* replySteps(session: Session, view: TreeView): Generator<void, SessionStep> {
  const { messages, hasEnded } = session.turn
  if (!hasEnded) throw new CatalogError('INTERNAL', 'a reply before the other side has ended its turn')
  const bodies = <K extends SyncMessage['kind']>(kind: K): Extract<SyncMessage, { kind: K }>['body'][] =>
    messages.flatMap(message => (message.kind === kind ? [message.body] : []) as never[])
  const mine = view.top?.count ?? 0
  const way = shownBy(messages[0]!) ?? session.way
  const now = { ...session, sizes: { ...session.sizes, mine }, way }
  switch (messages[0]!.kind) {
    case 'hello':
      return yield* replyToHello(now, view, bodies('hello')[0]!)
    case 'sketch':
      return yield* replyToSketch(now, view, bodies('sketch'))
    case 'want':
      return yield* replyToWant(now, view, bodies('want'))
    case 'descend':
      return yield* replyToDescend(now, view, bodies('descend'))
    case 'changes':
      return yield* replyToChanges(now, view, bodies('changes')[0]!)
    default:
      return yield* replyToFin(now, view, bodies('fin')[0]!.root)
  }
}

/** The way on which a message leads; undefined where it goes on with one, or is of none. */
function shownBy(message: SyncMessage): SyncWay | undefined {
  if (message.kind === 'changes') return 'log'
  if (message.kind === 'sketch' || message.kind === 'want') return 'sketch'
  if (message.kind !== 'descend' || message.body.opening === undefined) return undefined
  const { depth } = message.body.opening
  const [first] = decodeShapes(message.body.shapes)
  return depth > 0 || first?.step === 0 ? 'stream' : 'descent'
}

/** Whether a hello is answered by a comparison of tries and nothing else: no sketch is needed. */
export const isOnlyCompared = ({ cells }: SyncHello): boolean => cells.byteLength === 0

/** The responder has seen what the other side has, and chooses how the difference is looked for. */
function* replyToHello(before: Session, view: TreeView, hello: SyncHello): Generator<void, SessionStep> {
  const session = { ...before, nonce: hello.nonce }
  const { mine } = session.sizes
  const root = rootOf(view.top)
  if (bytesEqual(root, hello.root))
    return speak(session, { messages: [fin(root)], phase: { kind: 'ended' }, isEqual: true })
  const { changes } = session.options
  if (changes !== undefined) return tellChanges(session, view, changes)
  const all = Math.max(mine, hello.records)
  if (isOnlyCompared(hello)) return yield* openComparison(session, view, { isStream: true, difference: all })
  const shown = yield* readSketch(session, view, decodeSketch([hello], hello.records))
  if (shown.isComplete) return ask(session, view, shown, 0)
  const counts = decodeCounts(hello.counts, { records: hello.records })
  const difference = estimateDifference(session.options.sketch(counts.length).count, counts)
  const way = chooseWay(session.sizes, difference)
  if (way.kind === 'stream') return yield* openComparison(session, view, { isStream: true, difference })
  if (way.kind === 'descent') return yield* openComparison(session, view, { difference })
  return speak(session, {
    messages: sketchFrames(session.options.sketch(way.cells), mine),
    phase: { kind: 'sketched' },
    expected: { ...NO_ARRIVALS, unasked: MAX_SKETCH_CELLS }
  })
}

/** The initiator has the other side's sketch: it sends and asks for what that shows, whether it is everything or not. */
function* replyToSketch(
  session: Session,
  view: TreeView,
  frames: readonly SketchFrame[]
): Generator<void, SessionStep> {
  const { records } = frames[0]!
  if (frames.some(frame => frame.records !== records)) throw refused('a sketch of two sets')
  const theirs = decodeSketch(frames, records)
  const shown = yield* readSketch(session, view, theirs)
  if (shown.isComplete) return ask(session, view, shown, 0)
  const estimate = estimateDifference(session.options.sketch(theirs.cellCount).count, theirs.count)
  return ask(session, view, shown, Math.max(1, Math.round(estimate) - shown.items))
}

/** What a sketch of the other side shows. */
interface Shown {
  /** Own records that it lacks. */
  readonly offers: readonly Offer[]
  /** First bytes of the keys of records that are wanted, rising. */
  readonly wanted: readonly Uint8Array[]
  /** Items of both. */
  readonly items: number
  /** Whether that is the whole difference, as far as a sketch can say. */
  readonly isComplete: boolean
}

function* readSketch({ options }: Session, view: TreeView, theirs: Sketch): Generator<void, Shown> {
  const { mine, theirs: missing, isComplete } = decodeDifference(options.sketch(theirs.cellCount), theirs)
  const offers = yield* offersOfItems(view, mine)
  return { offers, wanted: risingKeys(missing), items: mine.length + missing.length, isComplete }
}

/** Asks for what a sketch has shown, and sends what it has shown to be missing there. */
function ask(session: Session, view: TreeView, { offers, wanted }: Shown, unresolved: number): SessionStep {
  const keys = new Set(wanted.map(key => Buffer.from(key).toString('hex')))
  return speak(session, {
    messages: wantFrames(wanted, unresolved),
    records: offeredRecords(view, offers),
    phase: { kind: 'asked' },
    expected: { ...NO_ARRIVALS, keys }
  })
}

/** Sends what was asked for. Then it is over, unless the sketch had not shown everything: the responder compares the tries. */
function* replyToWant(
  session: Session,
  view: TreeView,
  frames: readonly Want[]
): Generator<void, SessionStep> {
  const column = Buffer.concat(frames.map(({ keys }) => keys))
  const offers = yield* offersOf(view, column)
  const { unresolved } = frames.at(-1)!
  if (session.role === 'initiator' || unresolved === 0) return finish(session, view, offers)
  const isStream = chooseTrieWay(session.sizes, unresolved).kind === 'stream'
  return yield* openComparison(session, view, { isStream, difference: unresolved, offers })
}

/** Says the own root, behind the records that the other side still lacks. */
function finish(session: Session, view: TreeView, offers: readonly Offer[] = []): SessionStep {
  const records = offeredRecords(view, offers)
  return speak(session, { messages: [fin(rootOf(view.top))], records, phase: { kind: 'finishing' } })
}

const fin = (root: Uint8Array): SyncMessage => ({ kind: 'fin', body: { root } })

/**
 * Compares roots after everything has been exchanged. Both sides say theirs once, except to a hello, which has said one. When they
 * differ, the responder opens one comparison of everything: a fingerprint may have met another, or somebody has lied.
 */
function* replyToFin(session: Session, view: TreeView, theirs: Uint8Array): Generator<void, SessionStep> {
  const root = rootOf(view.top)
  const { kind } = session.phase
  const isEqual = bytesEqual(root, theirs)
  if (isEqual) {
    const messages = kind === 'greeted' || kind === 'finishing' ? [] : [fin(root)]
    return speak(session, { messages, phase: { kind: 'ended' }, isEqual })
  }
  if (session.hasDiverged || (session.role === 'initiator' && kind === 'finishing'))
    throw new CatalogError('SYNC_DIVERGED', 'the sets differ after everything was exchanged')
  if (session.role === 'initiator') return finish(session, view)
  return yield* openComparison({ ...session, hasDiverged: true }, view, { difference: 1 })
}

/** The own records that items name; a sketch that is wrong names some that are not there. */
function* offersOfItems(view: TreeView, items: readonly SketchItem[]): Generator<void, Offer[]> {
  const hashes = new Map<Path, Set<number>>()
  for (const item of items) {
    const path = Buffer.from(keyBytesOf(item)).toString('hex')
    hashes.set(path, (hashes.get(path) ?? new Set()).add(item.hash))
  }
  const offers: Offer[] = []
  for (const [path, named] of hashes) {
    const entries = Buffer.concat([...iterateEntries(view, { under: path })])
    const indices = Array.from({ length: entryCount(entries) }, (_, index) => index)
    const chosen = indices.filter(index =>
      named.has(itemOf(entryKey(entries, index), entryHash(entries, index)).hash)
    )
    offers.push({ path, chosen: bitsOf(chosen, indices.length) })
    yield
  }
  return offers
}

/** The own records with these first bytes of their keys. PROTOCOL_VIOLATION unless they rise and are no more than a sketch shows. */
function* offersOf(view: TreeView, column: Buffer): Generator<void, Offer[]> {
  if (column.byteLength > MAX_SKETCH_CELLS * WANT_KEY_BYTES) throw refused('more wants than a sketch shows')
  const offers: Offer[] = []
  for (let at = 0, last = ''; at < column.byteLength; at += WANT_KEY_BYTES) {
    const path = column.toString('hex', at, at + WANT_KEY_BYTES)
    if (path <= last) throw refused('wants that do not rise')
    last = path
    const records = countUnder(view, path)
    const all = Array.from({ length: records }, (_, index) => index)
    if (records > 0) offers.push({ path, chosen: bitsOf(all, records) })
    yield
  }
  return offers
}

/** The first bytes of the items' keys, each once, rising. */
function risingKeys(items: readonly SketchItem[]): Uint8Array[] {
  const keys = items.map(keyBytesOf).sort(Buffer.compare)
  return keys.filter((key, index) => index === 0 || !bytesEqual(key, keys[index - 1]!))
}
