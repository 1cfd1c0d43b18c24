import { SECOND_MS } from '../../base/index.ts'
import {
  encodeShapes,
  encodeSyncMessage,
  FINGERPRINT_BYTES,
  FrameReader,
  MAX_STEP,
  readSyncMessage,
  type SyncMessage,
  stepShape,
  subtreesBelow
} from '../../protocols/index.ts'
import { HEAD_LIFETIME_MS, recordFrames, signHead } from '../../sync/index.ts'
import type { SaidHead } from './heads.ts'
import { homeIdOf } from './libraries.ts'
import type { Lifetime, SimulatedNode } from './node.ts'
import { strayRecord } from './publishers.ts'
import type { Random } from './random.ts'
import { readRecord } from './records.ts'
import type { SessionMischief } from './session.ts'

/** How a hostile node behaves. */
export interface Mischief {
  readonly kind: MischiefKind
  session(random: Random): SessionMischief
  /** Lets it say what it will to its neighbours, from now on. */
  gossip(node: SimulatedNode, lifetime: Lifetime): void
}

type Frames = readonly Uint8Array[]
type Deed = (random: Random) => Partial<SessionMischief>

const HONEST: SessionMischief = { sketch: () => undefined, turn: async frames => frames, takes: () => true }
const MISCHIEF_EVERY_MS = 3 * SECOND_MS
const NOTHING = new Uint8Array()
/** More than a turn may have. */
const RAMBLE_FRAMES = 300
const FLOOD_STREAMS = 12
const RECORDS_FRAME = 6
const FLOOD_MS = 60 * SECOND_MS
/** Records that a set may have at most, as one says. */
const BOAST = 0x7fff_ffff

const DEEDS = {
  /** Falls silent after some turns. */
  staller: random => {
    let left = random.below(3)
    return { turn: async frames => (left-- > 0 ? frames : []) }
  },
  /** Sends what no frame is, or half of one. */
  babbler: random => ({
    turn: async frames => (random.chance(0.5) ? [random.bytes(random.between(1, 400))] : halved(frames))
  }),
  /** Changes a few bits of what it sends. */
  garbler: random => ({ turn: async frames => garbled(frames, random) }),
  /** Sends frames twice, in another order, or those of a session before. */
  replayer: random => {
    const said: Uint8Array[] = []
    return {
      turn: async frames => {
        const again = said.length > 0 && random.chance(0.3) ? [random.pick(said)] : []
        said.push(...frames.slice(0, 4))
        return random.chance(0.4) ? [...frames, ...again] : random.shuffled([...again, ...frames])
      }
    }
  },
  /** Shows cells that are not those of its set. */
  poisoner: random => ({
    sketch: sketch => {
      for (let cell = 0; cell < sketch.cellCount; cell++)
        if (random.chance(0.2)) sketch.keyLow[cell]! ^= 1 << random.below(32)
      if (random.chance(0.5)) sketch.add(random.bytes(32), random.bytes(32))
    }
  }),
  /** Says that it has another root. */
  liar: random => ({
    turn: async frames =>
      changed(frames, message =>
        message.kind === 'fin' ||
        message.kind === 'changes' ||
        (message.kind === 'hello' && random.chance(0.5))
          ? ({ ...message, body: { ...message.body, root: random.bytes(32) } } as SyncMessage)
          : message
      )
  }),
  /** Says that it has two thousand million records. */
  boaster: random => ({
    turn: async frames =>
      changed(frames, message =>
        message.kind === 'hello'
          ? { kind: 'hello', body: { ...message.body, records: BOAST, cells: NOTHING, counts: NOTHING } }
          : message.kind === 'descend' && message.body.opening !== undefined && random.chance(0.7)
            ? {
                kind: 'descend',
                body: { ...message.body, opening: { ...message.body.opening, records: BOAST } }
              }
            : message
      )
  }),
  /** Changes records, whose signatures then do not hold. */
  forger: random => ({
    turn: async frames =>
      changed(frames, message =>
        message.kind === 'records'
          ? { kind: 'records', body: { records: message.body.records.map(bytes => bent(bytes, random)) } }
          : message
      )
  }),
  /** Does not come to an end: frame after frame, each with more to come. */
  rambler: random => ({
    turn: async frames => {
      const step = random.pick([1, MAX_STEP])
      const shapes = encodeShapes([stepShape(step)])
      const fingerprints = new Uint8Array(subtreesBelow(step) * FINGERPRINT_BYTES)
      const body = { answers: NOTHING, shapes, fingerprints, more: true }
      const frame = encodeSyncMessage({ kind: 'descend', body })
      return random.chance(0.7) ? Array.from({ length: RAMBLE_FRAMES }, () => frame) : frames
    }
  }),
  /** Leaves out records, and says of others that they went. */
  omitter: random => ({
    turn: async frames =>
      (
        await changed(frames, message =>
          message.kind === 'changes' && random.chance(0.5)
            ? { kind: 'changes', body: { ...message.body, gone: random.bytes(32) } }
            : message
        )
      ).filter(([kind]) => kind !== RECORDS_FRAME || random.chance(0.5))
  }),
  /** Sends records, as good as any, that nobody asked for. */
  pusher: random => ({ turn: async frames => (random.chance(0.5) ? await pushed(frames, random) : frames) }),
  /** Takes nothing in. */
  miser: () => ({ takes: () => false })
} satisfies Record<string, Deed>

export type MischiefKind = keyof typeof DEEDS
export const MISCHIEF_KINDS = Object.keys(DEEDS) as MischiefKind[]

export function mischiefOf(kind: MischiefKind): Mischief {
  const deed: Deed = DEEDS[kind]
  return {
    kind,
    session: random => ({ ...HONEST, ...deed(random) }),
    gossip(node, lifetime) {
      const again = (): void => {
        slander(node)
        floodStreams(node, lifetime)
        lifetime.after(MISCHIEF_EVERY_MS, again)
      }
      lifetime.after(MISCHIEF_EVERY_MS, again)
    }
  }
}

/** Tells some neighbour a head that is not what it says. */
function slander(node: SimulatedNode): void {
  const { random, network, neighbours } = node.modules
  const near = neighbours()
  if (near.length === 0) return
  const head = random.chance(0.5) ? node.life?.home.head() : knownHead(node)
  if (head === undefined) return
  for (const { id } of near) if (random.chance(0.5)) network.send(node.id, id, lieAbout(head, node))
}

/** A head of another node that this one has heard of. */
function knownHead(node: SimulatedNode): SaidHead | undefined {
  const { random, neighbours } = node.modules
  const writer = random.pick(neighbours()).options.key.publicKey
  return node.life?.home.headOf(homeIdOf(writer), writer)
}

function lieAbout(head: SaidHead, node: SimulatedNode): Uint8Array {
  const { random } = node.modules
  const nowMs = node.now()
  const { library, epoch, revision, time, expires, previous } = head
  const statement = { library, epoch, revision, time, expires, ...(previous && { previous }) }
  const root = random.bytes(32)
  switch (random.below(5)) {
    case 0:
      return bent(head.bytes, random)
    // Two roots for one revision, in its own name, whoever's library it is.
    case 1:
      return signHead({ ...statement, root }, node.options.key).bytes
    // Of a time to come.
    case 2: {
      const dated = nowMs + random.between(1, 30) * 60 * SECOND_MS
      const late = { time: dated, expires: dated + HEAD_LIFETIME_MS }
      return signHead({ ...statement, ...late, epoch: epoch + 1, root }, node.options.key).bytes
    }
    case 3:
      return random.bytes(random.between(1, 2000))
    default:
      return head.bytes
  }
}

/** Opens streams and says nothing in them. */
function floodStreams(node: SimulatedNode, lifetime: Lifetime): void {
  const { random, network, neighbours } = node.modules
  if (!random.chance(0.2)) return
  const { id } = random.pick(neighbours())
  if (!network.reaches(node.id, id)) return
  for (let opened = 0; opened < FLOOD_STREAMS; opened++) {
    const end = network.open(node.id, id)
    lifetime.after(FLOOD_MS, () => end.cut())
  }
}

function bent(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[random.below(copy.byteLength)]! ^= 1 << random.below(8)
  return copy
}

function garbled(frames: Frames, random: Random): Uint8Array[] {
  return frames.map(frame => (random.chance(0.4) ? bent(frame, random) : frame))
}

function halved(frames: Frames): Uint8Array[] {
  const all = Buffer.concat(frames)
  return [all.subarray(0, all.byteLength / 2)]
}

/** Frames with their messages changed. */
async function changed(frames: Frames, change: (message: SyncMessage) => SyncMessage): Promise<Uint8Array[]> {
  return (await messagesOf(frames)).map(change).map(encodeSyncMessage)
}

/** Frames with one more record, in its place. */
async function pushed(frames: Frames, random: Random): Promise<Uint8Array[]> {
  const messages = await messagesOf(frames)
  const sent = messages.flatMap(message => (message.kind === 'records' ? message.body.records : []))
  const records = [...sent.map(readRecord), strayRecord(random)]
  const inOrder = records.sort((a, b) => Buffer.compare(a.trieKey, b.trieKey))
  const rest = messages.filter(({ kind }) => kind !== 'records').map(encodeSyncMessage)
  return [...recordFrames(inOrder.map(({ record }) => record.bytes)), ...rest]
}

async function messagesOf(frames: Frames): Promise<SyncMessage[]> {
  const reader = new FrameReader(once(Buffer.concat(frames)))
  const messages: SyncMessage[] = []
  for (let next = await readSyncMessage(reader); next !== undefined; next = await readSyncMessage(reader))
    messages.push(next.message)
  return messages
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
