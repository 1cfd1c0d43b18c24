import { CatalogError, SECOND_MS, toCatalogError } from '../../base/index.ts'
import {
  abortFrame,
  decodeSyncFrame,
  FrameReader,
  readSyncFrame,
  type SessionPort,
  type SpokenPart
} from '../../protocols/index.ts'
import type { SessionMeter } from './meter.ts'
import type { Lifetime } from './node.ts'
import type { SessionMischief } from './session.ts'
import type { End } from './stream.ts'
import type { Timeline } from './timeline.ts'

/** A session in which nothing is heard for so long is given up. */
const SILENCE_MS = 30 * SECOND_MS
const LOOK_MS = 5 * SECOND_MS

export interface Conversation {
  readonly end: End
  readonly role: 'initiator' | 'responder'
  readonly meter: SessionMeter
  readonly timeline: Timeline
  readonly lifetime: Lifetime
  readonly mischief?: SessionMischief
}

/** Carries a session of the product's between its port and a stream, to its end; undefined when the other side ended it first. */
export async function converse<O>(
  port: SessionPort<O>,
  conversation: Conversation
): Promise<SpokenPart<O>['ended']> {
  const { end, role, meter } = conversation
  const reader = new FrameReader(end.source)
  const heard = watchSilence(conversation)
  try {
    for (let hasTurn = role === 'initiator'; ; ) {
      const ended = hasTurn ? await say(port, conversation) : undefined
      if (ended !== undefined) return ended
      const frame = await readSyncFrame(reader)
      if (frame === undefined) return undefined
      heard.note()
      meter.heard(decodeSyncFrame(frame), frame.sizeBytes)
      hasTurn = await port.take(frame)
    }
  } catch (thrown) {
    const error = toCatalogError(thrown)
    const isTheirs = error instanceof CatalogError && error.details?.remoteCode !== undefined
    if (!isTheirs) await end.write(abortFrame(error)).catch(() => undefined)
    throw error
  } finally {
    heard.stop()
  }
}

async function say<O>(
  port: SessionPort<O>,
  { end, meter, mischief }: Conversation
): Promise<SpokenPart<O>['ended']> {
  const turn: Uint8Array[] = []
  for (;;) {
    const { frames, more, ended } = await port.say()
    turn.push(...frames)
    if (more) continue
    meter.said(turn)
    for (const piece of mischief === undefined ? turn : await mischief.turn(turn)) await end.write(piece)
    return ended
  }
}

function watchSilence({ end, timeline, lifetime }: Conversation): { note(): void; stop(): void } {
  let heardAtMs = timeline.nowMs
  let isOpen = true
  const look = (): void => {
    if (!isOpen) return
    if (timeline.nowMs - heardAtMs > SILENCE_MS) end.cut()
    lifetime.after(LOOK_MS, look)
  }
  lifetime.after(LOOK_MS, look)
  return {
    note: () => {
      heardAtMs = timeline.nowMs
    },
    stop: () => {
      isOpen = false
    }
  }
}
