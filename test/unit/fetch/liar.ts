import type { Libp2p, Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { SECOND_MS, systemClock } from '../../../base/index.ts'
import { answerMessage, openMessage, type Run, rangeMessage } from '../../../protocols/content/frames.ts'
import type { Answer, Have } from '../../../protocols/content/messages.js'
import { ContentResolver } from '../../../protocols/content/resolver.ts'
import { encodeFrame, FrameReader, protocolId, pull } from '../../../protocols/index.ts'
import { createNode } from '../protocols/nodes.ts'
import { NETWORK, type Peer } from './peers.ts'

/** How often who crawls sends a piece. */
const CRAWL_EVERY_MS = 100

export const CONTENT = protocolId(NETWORK, 'content', 1)

/** An honest answer before it is sent, for a lie to change. */
export interface Draft {
  header: Partial<Answer>
  bytes: Uint8Array[]
  readonly stream: Stream
  readonly runs: Run[]
}

/** What a liar says that it has: everything unless given. */
export type LyingMap = () => Have | undefined

/** Changes a draft, or does something else and returns undefined to send nothing more. */
export type Lie = (draft: Draft) => Draft | Uint8Array | undefined | Promise<Uint8Array | undefined>

const bytesOf = ({ header, bytes }: Draft): Buffer =>
  Buffer.concat([encodeFrame([], answerMessage.encode(header)), ...bytes])

/** The truth, at so many bytes a second. */
export const crawling =
  (bytesPerSecond: number): Lie =>
  async draft => {
    const answer = bytesOf(draft)
    const pieceBytes = (bytesPerSecond * CRAWL_EVERY_MS) / SECOND_MS
    for (let at = 0; at < answer.byteLength; at += pieceBytes) {
      draft.stream.send(answer.subarray(at, at + pieceBytes))
      await systemClock.wait(CRAWL_EVERY_MS)
    }
    return new Uint8Array(0)
  }

/** A node that serves the content of `truth`, with a lie in it. */
export async function startLiar(truth: Peer, lie: Lie, have: LyingMap = () => undefined): Promise<Libp2p> {
  const node = await createNode()
  const { content, registry } = truth.library
  const resolver = new ContentResolver(content)
  const serve = async (stream: Stream): Promise<void> => {
    const reader = new FrameReader(pull(stream))
    const { record: id } = openMessage.decode((await reader.frame('open', 1e6))!)
    const record = registry.get(CID.decode(id))!
    stream.send(encodeFrame([], answerMessage.encode({ id: 0, have: have() })))
    for (;;) {
      const frame = await reader.frame('range', 1e6)
      if (frame === undefined) break
      const range = rangeMessage.decode(frame)
      if (range.have) {
        stream.send(encodeFrame([], answerMessage.encode({ id: range.id, have: have() })))
        continue
      }
      const named = await resolver.resolve(record.release.content, range.runs, new AbortController().signal)
      const blocks = await Promise.all(named.map(({ id }) => content.readStored(id)))
      const draft: Draft = {
        header: {
          id: range.id,
          blocks: blocks.map(({ codec, bytes, rawLengthBytes }) => ({
            codec,
            storedLength: bytes.byteLength,
            rawLength: rawLengthBytes
          }))
        },
        bytes: blocks.map(({ bytes }) => Uint8Array.from(bytes)),
        stream,
        runs: range.runs
      }
      const told = await lie(draft)
      if (told === undefined) return
      if (told instanceof Uint8Array) stream.send(told)
      else stream.send(bytesOf(told))
    }
    await stream.close()
  }
  await node.handle(CONTENT, stream => void serve(stream).catch(() => undefined))
  return node
}
