/** Lies about records: what a peer answers to questions on control/1. */
import type { Libp2p, Stream } from '@libp2p/interface'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { createReleaseRecord, type Library, parseId, type ReleaseRecord } from '../../../library/index.ts'
import { createControl, protocolId, serveRecords } from '../../../protocols/index.ts'
import { pull } from '../../../protocols/quic/index.ts'
import { getRecords, listReleases } from '../../../protocols/records/types.ts'
import { FrameReader } from '../../../protocols/wire/frame-reader.ts'
import { SigningKey } from '../../../trust/index.ts'

/** The network of a home that nobody configured. */
export const NETWORK = 'main'

export interface LiarModules {
  readonly node: Libp2p
  readonly library: Library
}

/** What a peer makes of true records: the bytes of its answer. */
const RECORD_LIES = {
  /** A bit of the signature. */
  forged: record => [changed(record.bytes, signatureAt(record) + 10)],
  /** A bit of what is signed. */
  altered: record => [changed(record.bytes, Buffer.from(record.bytes).indexOf(record.release.name))],
  /** Another's owner field beside an own signature. */
  stolen: record => [stolen(record)],
  /** A valid record of another name. */
  'another name': record => [renamed(record)],
  garbage: () => [Buffer.alloc(300, 0xfe)],
  'too large': () => [Buffer.alloc(40_000, 0xa0)],
  'sixty-four forgeries': record =>
    Array.from({ length: 64 }, (_, i) => changed(record.bytes, signatureAt(record) + (i % 60)))
} satisfies Record<string, (record: ReleaseRecord) => Uint8Array[]>

/** What a peer does instead of answering. */
const STREAM_LIES = {
  'garbage frames': (stream: Stream) => void stream.send(Buffer.alloc(2000, 0xff)),
  // Tag of a response to records.list, and a length of 4 GiB - 1.
  'an oversized frame': (stream: Stream) =>
    void stream.send(Buffer.from([((17 << 3) & 0x7f) | 0x82, 17 >> 4, 0xff, 0xff, 0xff, 0xff, 0x0f])),
  'a reset': (stream: Stream) => stream.abort(new Error('no')),
  'an end': (stream: Stream) => void stream.close(),
  'no hello': () => undefined
} satisfies Record<string, (stream: Stream) => unknown>

export type RecordLie =
  | 'truth'
  | 'silence'
  | 'endless pages'
  | keyof typeof RECORD_LIES
  | keyof typeof STREAM_LIES

export async function serveRecordLies({ node, library }: LiarModules, lie: RecordLie): Promise<void> {
  if (lie in STREAM_LIES) {
    await node.handle(protocolId(NETWORK, 'control', 1), async stream => {
      const reader = new FrameReader(pull(stream))
      await reader.varint()
      STREAM_LIES[lie as keyof typeof STREAM_LIES](stream)
    })
    return
  }
  const control = createControl(
    { libp2p: node, log: silentLogger, clock: systemClock },
    { networkId: NETWORK, agent: 'hostile/1' }
  )
  const { registry } = library
  if (lie === 'truth') serveRecords({ control, registry, clock: systemClock })
  else {
    const told = async (record: ReleaseRecord): Promise<Uint8Array[]> => {
      if (lie === 'silence') return await new Promise(() => undefined)
      if (lie === 'endless pages') return [record.bytes]
      return RECORD_LIES[lie as keyof typeof RECORD_LIES](record)
    }
    control.handle(getRecords, async ({ ids }) => {
      const { CID } = await import('multiformats/cid')
      return { records: await told(registry.get(parseId(CID.decode(ids[0]!).toString()))!) }
    })
    control.handle(listReleases, async ({ name }) => {
      const [record] = await registry.versions(name)
      const next = lie === 'endless pages' ? record!.id.bytes : new Uint8Array(0)
      return { records: await told(record!), next }
    })
  }
  await control.start()
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at]! ^= 1
  return copy
}

/** Where the signature stands: behind its key `sig` and the head of 64 bytes. */
function signatureAt({ bytes }: ReleaseRecord): number {
  return Buffer.from(bytes).indexOf(Buffer.from('63736967', 'hex')) + 6
}

function stolen({ bytes, release }: ReleaseRecord): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.set(SigningKey.generate().publicKey, copy.indexOf(Buffer.from(release.owner)))
  return copy
}

function renamed({ release }: ReleaseRecord): Uint8Array {
  const { owner: _, ...fields } = release
  return createReleaseRecord({ ...fields, name: `${release.name}-other` } as never, SigningKey.generate())
    .bytes
}
