/**
 * Comparing two tries from the top down. Both sides take turns. A turn opens *groups*: for a subtree of the own trie either the fingerprints
 * of all subtrees one to three digits further down, or, where it has few records, a list with the fingerprint of each. The
 * other side answers each group:
 *
 *   subtrees  which of them are not what it has there. For each of these it opens a group of its own, so the question is passed
 *             on one level deeper with every turn, and all branches that differ go down side by side
 *   list      which records it wants. Those of its own that are not in the list, it sends along
 *
 * Where the sets are equal nothing is said, and when no group is open the difference has been found. A subtree that
 * one side does not have is an empty list. How far down a group looks is chosen by the bytes of the turn: a few groups skip
 * levels to save round trips, many go one by one.
 *
 * Both sides look at the sets as they were when the comparison began, whatever records come in meanwhile.
 */
import { CatalogError } from '../../base/index.ts'
import {
  FINGERPRINT_BYTES,
  type GroupShape,
  listShape,
  MAX_STEP,
  stepShape,
  subtreesBelow
} from '../../protocols/index.ts'
import {
  childPath,
  childrenOf,
  entriesOf,
  entryCount,
  entryHash,
  FAN_OUT,
  iterateEntries,
  MAX_DEPTH,
  type Path,
  type Subtree,
  type TreeView,
  topOf
} from '../trie/index.ts'
import { AnswerReader, bitsOf, encodeAnswer } from './columns.ts'
import type { Fingerprinter } from './fingerprints.ts'
import { LIST_UP_TO, LOOK_AHEAD_BYTES, MAX_LOOK_AHEAD } from './limits.ts'
import type { Offer } from './offers.ts'
import type { Range } from './plan.ts'

/** A subtree of the own set, or the place where the other side has one. */
export interface Place {
  readonly path: Path
  readonly subtree: Subtree | undefined
}

/** A group that waits for its answer. */
export interface OpenGroup {
  readonly place: Place
  readonly shape: GroupShape
}

/** Groups as they travel: a shape and fingerprints for each. */
export interface Groups {
  readonly shapes: readonly GroupShape[]
  readonly fingerprints: readonly Uint32Array[]
}

export interface Comparison {
  readonly view: TreeView
  readonly fingerprinter: Fingerprinter
}

/** The groups for places of the own trie; `shapeOf` chooses what each shows. */
export function* openGroups(
  { view, fingerprinter }: Comparison,
  places: readonly Place[],
  shapeOf: (place: Place) => GroupShape = shapeAmong(places.length)
): Generator<void, { groups: Groups; open: OpenGroup[] }> {
  const open: OpenGroup[] = []
  const fingerprints: Uint32Array[] = []
  for (const place of places) {
    const shape = shapeOf(place)
    open.push({ place, shape })
    fingerprints.push(fingerprinter.of(hashesOf(view, place, shape)))
    yield
  }
  return { groups: { shapes: open.map(({ shape }) => shape), fingerprints }, open }
}

/** What a group shows that is one of `groupCount`. */
export function shapeAmong(groupCount: number): (place: Place) => GroupShape {
  const most = LOOK_AHEAD_BYTES / FINGERPRINT_BYTES / groupCount
  return ({ subtree }) => {
    const records = subtree?.count ?? 0
    if (records <= Math.max(LIST_UP_TO, most)) return listShape(records)
    let step = 1
    while (step < MAX_STEP && subtreesBelow(step + 1) <= most && records > LIST_UP_TO * subtreesBelow(step))
      step++
    return stepShape(step)
  }
}

function hashesOf(view: TreeView, place: Place, { step }: GroupShape): Array<Uint8Array | undefined> {
  if (step > 0) return placesBelow(view, place, step).map(({ subtree }) => subtree?.hash)
  if (place.subtree === undefined) return []
  const entries = entriesOf(view, place.subtree)
  return Array.from({ length: entryCount(entries) }, (_, index) => entryHash(entries, index))
}

/** The places `step` digits below, all of them, in their order. */
function placesBelow(view: TreeView, place: Place, step: number): Place[] {
  let level = [place]
  for (let digits = 0; digits < step; digits++) level = level.flatMap(above => childPlaces(view, above))
  return level
}

function childPlaces(view: TreeView, { path, subtree }: Place): Place[] {
  const children = subtree === undefined ? [] : childrenOf(view, subtree)
  return Array.from({ length: FAN_OUT }, (_, digit) => ({
    path: childPath(path, digit),
    subtree: children[digit]
  }))
}

/** The places of a range. */
export function placesIn(view: TreeView, { depth, first, count }: Range): Place[] {
  let level: Place[] = [{ path: '', subtree: topOf(view) }]
  let from = 0
  for (let digits = 1; digits <= depth; digits++) {
    const width = subtreesBelow(depth - digits)
    const begin = Math.floor(first / width)
    const end = Math.ceil((first + count) / width)
    level = level.flatMap(above => childPlaces(view, above)).slice(begin - from, end - from)
    from = begin * FAN_OUT
  }
  return level
}

/** What the answers to the own groups say. */
export interface Answered {
  /** Records that the other side wants. */
  readonly offers: readonly Offer[]
  /** Places that differ: for each the other side opens a group, in this order. */
  readonly differing: readonly Place[]
}

/** Reads the answers to `open`, which must be all of them and no more: PROTOCOL_VIOLATION. */
export function* readAnswers(
  view: TreeView,
  open: readonly OpenGroup[],
  column: Uint8Array
): Generator<void, Answered> {
  const offers: Offer[] = []
  const differing: Place[] = []
  const reader = new AnswerReader(column)
  for (const { place, shape } of open) {
    const indices = reader.answer(shape)
    if (indices.length === 0) continue
    if (shape.step === 0) offers.push({ path: place.path, chosen: bitsOf(indices, shape.size) })
    else {
      const below = placesBelow(view, place, shape.step)
      differing.push(...indices.map(index => below[index]!))
    }
    yield
  }
  if (!reader.isAtEnd) throw refused('answers to no group')
  return { offers, differing }
}

/** What the groups of the other side say. */
export interface Compared {
  /** The answers, in the order of the groups. */
  readonly answers: readonly Uint8Array[]
  /** Places where it has other subtrees: for each a group is to be opened, in this order. */
  readonly differing: readonly Place[]
  /** Records that it lacks. */
  readonly offers: readonly Offer[]
  /** Fingerprints of records that are wanted from it. */
  readonly wanted: ReadonlySet<number>
}

/**
 * Compares the groups that the other side opened at `places` with the own trie. Throws PROTOCOL_VIOLATION when they do not belong
 * there, or look further down than there are digits or than so many groups may.
 */
export function* compareGroups(
  { view, fingerprinter }: Comparison,
  places: readonly Place[],
  { shapes, fingerprints }: Groups
): Generator<void, Compared> {
  if (shapes.length !== places.length)
    throw refused(`${shapes.length} groups at ${places.length} places that differ`)
  const answers: Uint8Array[] = []
  const differing: Place[] = []
  const offers: Offer[] = []
  const wanted = new Set<number>()
  for (const [index, place] of places.entries()) {
    const shape = shapes[index]!
    const theirs = fingerprints[index]!
    if (shape.step === 0) {
      const list = compareList(view, fingerprinter, place, theirs)
      answers.push(encodeAnswer(shape, list.missing))
      for (const at of list.missing) wanted.add(theirs[at]!)
      if (list.extra.length > 0)
        offers.push({ path: place.path, chosen: bitsOf(list.extra, place.subtree?.count ?? 0) })
    } else {
      checkStep(place, shape, shapes.length)
      const below = placesBelow(view, place, shape.step)
      const mine = fingerprinter.of(below.map(({ subtree }) => subtree?.hash))
      const indices = [...mine.keys()].filter(at => mine[at] !== theirs[at])
      answers.push(encodeAnswer(shape, indices))
      differing.push(...indices.map(at => below[at]!))
    }
    yield
  }
  return { answers, differing, offers, wanted }
}

function checkStep({ path }: Place, { step, size }: GroupShape, groupCount: number): void {
  if (path.length + step > MAX_DEPTH) throw refused('a group below the last digit')
  if (step > 1 && groupCount * size > MAX_LOOK_AHEAD)
    throw refused(`${groupCount} groups that look ${step} digits down`)
}

/**
 * Indices in the list of what is missing here, and among the own records of what is missing there. Two records of one
 * fingerprint count as two, so that neither side waits for the other.
 */
function compareList(
  view: TreeView,
  fingerprinter: Fingerprinter,
  { path, subtree }: Place,
  list: Uint32Array
): { missing: number[]; extra: number[] } {
  const unmatched = new Map<number, number[]>()
  for (let at = list.length - 1; at >= 0; at--) {
    const same = unmatched.get(list[at]!)
    if (same === undefined) unmatched.set(list[at]!, [at])
    else same.push(at)
  }
  const extra: number[] = []
  let index = 0
  for (const entries of subtree === undefined ? [] : iterateEntries(view, { under: path })) {
    const hashes = Array.from({ length: entryCount(entries) }, (_, at) => entryHash(entries, at))
    for (const fingerprint of fingerprinter.of(hashes)) {
      if (unmatched.get(fingerprint)?.pop() === undefined) extra.push(index)
      index++
    }
  }
  const missing = [...unmatched.values()].flat().sort((a, b) => a - b)
  return { missing, extra }
}

function refused(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `sync descend: ${what}`)
}
