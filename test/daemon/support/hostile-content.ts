/** Lies about content: what a peer sends on content/1 in place of the blocks that were asked for. */
import type { Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { WireStatus } from '../../../base/index.ts'
import { answerMessage, openMessage, Part, rangeMessage } from '../../../protocols/content/frames.ts'
import type { Answer } from '../../../protocols/content/messages.js'
import { ContentResolver } from '../../../protocols/content/resolver.ts'
import { encodeFrame, FrameReader, protocolId, pull } from '../../../protocols/index.ts'
import { type LiarModules, NETWORK } from './hostile-records.ts'

/** A true answer before it is sent. */
interface Draft {
  header: Partial<Answer>
  bytes: Uint8Array[]
  readonly stream: Stream
  readonly isManifest: boolean
}

/** Sends something, or nothing, in place of a draft; false when nothing more is to be sent. */
type Tell = (draft: Draft) => boolean | Promise<boolean>

const send = ({ stream, header, bytes }: Draft): boolean => {
  stream.send(Buffer.concat([encodeFrame([], answerMessage.encode(header)), ...bytes]))
  return true
}
const flipped = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[copy.length >> 1]! ^= 1
  return copy
}
const refusal = (draft: Draft, status: WireStatus, retryAfterMs = 0): boolean =>
  send({ ...draft, header: { id: draft.header.id!, status, retryAfterMs }, bytes: [] })

const CONTENT_LIES = {
  truth: send,
  'wrong bytes': draft => send({ ...draft, bytes: draft.bytes.map(flipped) }),
  /** Manifest and trees are true, and the first file is one chunk: only the check of chunks can see it. */
  'wrong bytes in a chunk': draft =>
    send(draft.isManifest ? draft : { ...draft, bytes: draft.bytes.with(0, flipped(draft.bytes[0]!)) }),
  'garbage frames': draft => {
    draft.stream.send(Buffer.alloc(4000, 0xfe))
    return true
  },
  'an oversized frame': draft => {
    draft.stream.send(encodeFrame([], new Uint8Array(100_000)))
    return true
  },
  'an end in the middle': async draft => {
    draft.stream.send(encodeFrame([], answerMessage.encode(draft.header)))
    draft.stream.send(draft.bytes[0]!.subarray(0, 10))
    await draft.stream.close()
    return false
  },
  'a reset in the middle': draft => {
    draft.stream.send(encodeFrame([], answerMessage.encode(draft.header)))
    draft.stream.abort(new Error('enough'))
    return false
  },
  silence: () => false,
  'that it has nothing': draft => refusal(draft, WireStatus.NotFound),
  'that it is busy': draft => refusal(draft, WireStatus.Busy, 50),
  'that it is broken': draft => refusal(draft, WireStatus.Internal)
} satisfies Record<string, Tell>

export type ContentLie = keyof typeof CONTENT_LIES

export async function serveContent({ node, library }: LiarModules, lie: ContentLie): Promise<void> {
  const { content, registry } = library
  const resolver = new ContentResolver(content)
  const tell: Tell = CONTENT_LIES[lie]
  const serve = async (stream: Stream): Promise<void> => {
    const reader = new FrameReader(pull(stream))
    const { record: id } = openMessage.decode((await reader.frame('open', 1e6))!)
    const record = registry.get(CID.decode(id))!
    stream.send(encodeFrame([], answerMessage.encode({ id: 0 })))
    for (;;) {
      const frame = await reader.frame('range', 1e6)
      if (frame === undefined) break
      const range = rangeMessage.decode(frame)
      const isManifest = range.runs.every(({ part }) => part === Part.Manifest)
      const ids = await resolver.resolve(record.release.content, range.runs, new AbortController().signal)
      if (!ids.every(({ id: block }) => content.hasBlock(block))) {
        refusal({ header: { id: range.id }, bytes: [], stream, isManifest }, WireStatus.NotFound)
        continue
      }
      const blocks = await Promise.all(ids.map(({ id: block }) => content.readStored(block)))
      const header = {
        id: range.id,
        blocks: blocks.map(({ codec, bytes, rawLengthBytes }) => ({
          codec,
          storedLength: bytes.byteLength,
          rawLength: rawLengthBytes
        }))
      }
      const draft = { header, bytes: blocks.map(({ bytes }) => Uint8Array.from(bytes)), stream, isManifest }
      if (!(await tell(draft))) return
    }
    await stream.close()
  }
  await node.handle(protocolId(NETWORK, 'content', 1), stream => void serve(stream).catch(() => undefined))
}
