/** The turns of a session in which tries are compared (descent.ts), range after range where everything is listed. */
import {
  type Descend,
  type DescentOpening,
  listShape,
  MAX_LIST,
  NONCE_BYTES,
  stepShape
} from '../../protocols/index.ts'
import { rootOf, type TreeView } from '../trie/index.ts'
import { type Arrivals, NO_ARRIVALS } from './arrivals.ts'
import {
  compareGroups,
  type Groups,
  type OpenGroup,
  openGroups,
  type Place,
  placesIn,
  readAnswers,
  shapeAmong
} from './descent.ts'
import { Fingerprinter, saltOf } from './fingerprints.ts'
import { DEEP_START_ABOVE, DEEP_STEP, SHALLOW_STEP } from './limits.ts'
import { type Offer, offeredRecords } from './offers.ts'
import { descendFrames, joinDescend } from './pack.ts'
import { type Range, reachesEnd, streamDepth, streamRange, WHOLE } from './plan.ts'
import { type Descent, refused, type Session, type SessionStep, speak } from './session.ts'

const NO_GROUPS: Groups = { shapes: [], fingerprints: [] }

/** What the responder begins a comparison with. */
export interface Start {
  /** Lists of everything instead of a descent. */
  readonly isStream?: boolean
  /** Differences to be expected. */
  readonly difference: number
  /** Records to send with it. */
  readonly offers?: readonly Offer[]
}

/** The responder begins a comparison of the set as it is now. */
export function* openComparison(
  session: Session,
  view: TreeView,
  { isStream = false, difference, offers = [] }: Start
): Generator<void, SessionStep> {
  const { options, nonce, sizes } = session
  const responderNonce = options.random(NONCE_BYTES)
  const fingerprinter = fingerprinterOf(session, nonce, responderNonce)
  const range = isStream ? streamRange(sizes, streamDepth(sizes), 0) : WHOLE
  const descent = { view, fingerprinter, range, isStream, open: [] }
  const turn = { nonce: responderNonce, difference, offers }
  return yield* openRange({ ...session, isStream: session.isStream || isStream }, descent, turn)
}

function fingerprinterOf(
  { options }: Session,
  initiatorNonce: Uint8Array,
  responderNonce: Uint8Array
): Fingerprinter {
  const { initiator, responder } = options
  return new Fingerprinter(saltOf({ initiatorNonce, responderNonce, initiator, responder }))
}

/** Says which subtrees are compared now, and opens the groups for them. */
function* openRange(
  session: Session,
  descent: Descent,
  turn: { nonce: Uint8Array; difference: number; offers: readonly Offer[] }
): Generator<void, SessionStep> {
  const { view, range, isStream } = descent
  const places = placesIn(view, range)
  const shapeOf = isStream ? shapeInStream : shapeOfTop(turn.difference)
  const { groups, open } = yield* openGroups(descent, places, shapeOf)
  const opening: DescentOpening = { nonce: turn.nonce, records: session.sizes.mine, ...range }
  return speak(session, {
    messages: descendFrames({ opening, answers: [], groups }),
    records: offeredRecords(view, turn.offers),
    phase: { kind: 'descending', descent: { ...descent, open } },
    expected: under(open)
  })
}

/** Everything is listed; a subtree of too many records for a list, which no honest keys make, is looked into. */
const shapeInStream = ({ subtree }: Place): ReturnType<typeof listShape> => {
  const records = subtree?.count ?? 0
  return records <= MAX_LIST ? listShape(records) : stepShape(1)
}

/** The top as it is shown first: so far down that most of `difference` records are in branches of their own. */
const shapeOfTop =
  (difference: number) =>
  (top: Place): ReturnType<typeof listShape> => {
    const shape = shapeAmong(1)(top)
    if (shape.step === 0) return shape
    return stepShape(difference > DEEP_START_ABOVE ? DEEP_STEP : SHALLOW_STEP)
  }

/** Goes on with a comparison, or takes part in one that the other side has begun. */
export function* replyToDescend(
  session: Session,
  view: TreeView,
  frames: readonly Descend[]
): Generator<void, SessionStep> {
  if (frames.slice(1).some(({ opening }) => opening !== undefined)) throw refused('a second opening')
  const { answers, groups } = joinDescend(frames)
  const opening = frames[0]!.opening
  // Before anything is looked up: what an opening counts costs it nothing.
  if (opening !== undefined && opening.count !== groups.shapes.length)
    throw refused(`${groups.shapes.length} groups for ${opening.count} subtrees`)
  const begun = opening === undefined ? session : beginRange(session, view, opening)
  const descent = descentOf(begun)
  const answered = yield* readAnswers(descent.view, descent.open, answers)
  const places = opening === undefined ? answered.differing : placesIn(descent.view, descent.range)
  const compared = yield* compareGroups(descent, places, groups)
  const offers = [...answered.offers, ...compared.offers]
  if (places.length === 0) return yield* endRange(begun, view, descent, offers)
  const { groups: next, open } = yield* openGroups(descent, compared.differing)
  return speak(begun, {
    messages: descendFrames({ answers: compared.answers, groups: next }),
    records: offeredRecords(descent.view, offers),
    phase: { kind: 'descending', descent: { ...descent, open } },
    expected: { ...under(open), fingerprints: compared.wanted, fingerprinter: descent.fingerprinter }
  })
}

function descentOf({ phase }: Session): Descent {
  if (phase.kind !== 'descending') throw refused('a comparison that was not begun')
  return phase.descent
}

/** The responder has begun a comparison, or the next range of one. */
function beginRange(session: Session, view: TreeView, opening: DescentOpening): Session {
  const { nonce, depth, first, count } = opening
  if (session.role === 'responder') throw refused('an opening by the initiator')
  const range: Range = { depth, first, count }
  const isStream = depth > 0 || session.isStream
  const told = { ...session, isStream }
  if (nonce.byteLength > 0) {
    if (session.phase.kind === 'descending') throw refused('a comparison inside another')
    const fingerprinter = fingerprinterOf(session, session.nonce, nonce)
    return {
      ...told,
      phase: { kind: 'descending', descent: { view, fingerprinter, range, isStream, open: [] } }
    }
  }
  const { range: before, open, ...rest } = descentOf(session)
  if (open.length > 0 || depth !== before.depth || first !== before.first + before.count)
    throw refused(`subtrees from ${first} on at depth ${depth}, in the middle of others`)
  return { ...told, phase: { kind: 'descending', descent: { ...rest, range, open: [] } } }
}

/** No group is open any more: the next range, which the responder opens, or the end. */
function* endRange(
  session: Session,
  view: TreeView,
  descent: Descent,
  offers: readonly Offer[]
): Generator<void, SessionStep> {
  const { range } = descent
  const records = offeredRecords(descent.view, offers)
  if (reachesEnd(range)) {
    const fin = { kind: 'fin', body: { root: rootOf(view.top) } } as const
    return speak(session, { messages: [fin], records, phase: { kind: 'finishing' } })
  }
  if (session.role === 'initiator') {
    const messages = descendFrames({ answers: [], groups: NO_GROUPS })
    return speak(session, {
      messages,
      records,
      phase: { kind: 'descending', descent: { ...descent, open: [] } }
    })
  }
  const next = streamRange(session.sizes, range.depth, range.first + range.count)
  const turn = { nonce: new Uint8Array(0), difference: 0, offers }
  return yield* openRange(session, { ...descent, range: next }, turn)
}

/** What may come without being named: records below the own lists. */
function under(open: readonly OpenGroup[]): Arrivals {
  const lists = open.filter(({ shape }) => shape.step === 0)
  return { ...NO_ARRIVALS, under: new Set(lists.map(({ place }) => place.path)) }
}
