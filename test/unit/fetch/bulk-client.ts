import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import {
  answerMessage,
  openMessage,
  Part,
  type Run,
  rangeMessage
} from '../../../protocols/content/frames.ts'
import type { Answer } from '../../../protocols/content/messages.js'
import { encodeFrame, FrameReader, pull } from '../../../protocols/index.ts'
import { CONTENT } from './liar.ts'

export const run = (fields: Partial<Run>): Run => ({
  part: Part.Manifest,
  page: 0,
  slot: 0,
  level: 0,
  first: 0,
  count: 1,
  top: false,
  ...fields
})
export const TOP = run({ top: true })

export const openFrame = (record: Uint8Array): Uint8Array =>
  encodeFrame([], openMessage.encode({ record, codecs: [1] }))
export const rangeFrame = (id: number, ...runs: Run[]): Uint8Array =>
  encodeFrame([], rangeMessage.encode({ id, runs }))

/** A bulk stream by hand: whatever frames the test likes, and the answers as they come. */
export class BulkClient {
  readonly stream: Stream
  readonly #reader: FrameReader

  private constructor(stream: Stream) {
    this.stream = stream
    this.#reader = new FrameReader(pull(stream))
  }

  static async open(libp2p: Libp2p, peer: PeerId, ...frames: Uint8Array[]): Promise<BulkClient> {
    const connection = await libp2p.dial(peer)
    const client = new BulkClient(await connection.newStream(CONTENT))
    client.send(...frames)
    return client
  }

  send(...frames: Uint8Array[]): void {
    for (const frame of frames) if (this.stream.status === 'open') this.stream.send(frame)
  }

  /** The next answer with its blocks' bytes; undefined at the end in order; throws when the stream was cut. */
  async next(): Promise<(Answer & { bytes: Uint8Array[] }) | undefined> {
    const frame = await this.#reader.frame('answer', 100_000)
    if (frame === undefined) return undefined
    const answer = answerMessage.decode(frame)
    const bytes: Uint8Array[] = []
    for (const { storedLength } of answer.blocks) bytes.push(await this.#reader.bytes(storedLength))
    return { ...answer, bytes }
  }

  /** How the stream ends: all answers that came, and whether it ended in order or was cut. */
  async rest(): Promise<{ ids: number[]; statuses: number[]; end: 'fin' | 'cut' }> {
    const ids: number[] = []
    const statuses: number[] = []
    try {
      for (let answer = await this.next(); answer !== undefined; answer = await this.next()) {
        ids.push(answer.id)
        statuses.push(answer.status)
      }
      return { ids, statuses, end: 'fin' }
    } catch {
      return { ids, statuses, end: 'cut' }
    }
  }
}
