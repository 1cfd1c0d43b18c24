/** Contents whose blocks are what their hashes say, and which make no sense all the same: a publisher's own lies. */
import { encode } from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { nodeCid, rawCid } from '../../../library/content/blocks.ts'
import { encodeNode } from '../../../library/content/tree.ts'
import {
  BlockCodec,
  type ContentStore,
  hashBlock,
  type IngestResult,
  TREE_FANOUT
} from '../../../library/index.ts'

interface StatedContent {
  content: CID
  sizeBytes: number
  files: number
}

/** Stores bytes as a block without asking what they are. */
async function put(store: ContentStore, bytes: Uint8Array): Promise<Uint8Array> {
  const id = hashBlock(bytes)
  const receive = store.beginReceive()
  await receive.writeBlocks([{ id, codec: BlockCodec.Raw, rawLengthBytes: bytes.byteLength, bytes }])
  await receive.end()
  return id
}

/** A content of one manifest page. */
async function onePage(store: ContentStore, entries: unknown[][]): Promise<CID> {
  return rawCid(await put(store, encode(entries)))
}

/** Makes what a release states as its content; `true content` is what was stored of its files. */
export const STRUCTURES = {
  /** One byte more than there is. */
  'a wrong size': async (_store, stored) => ({ ...stored, sizeBytes: stored.sizeBytes + 1 }),
  'a wrong number of files': async (_store, stored) => ({ ...stored, files: stored.files + 1 }),
  'a path that climbs': async store => {
    const id = await put(store, Buffer.from('x'))
    return { content: await onePage(store, [['f', '../evil', 0o644, 1, rawCid(id)]]), sizeBytes: 1, files: 1 }
  },
  'a file below a link': async store => {
    const id = await put(store, Buffer.from('x'))
    const entries = [
      ['l', 'a', '/etc'],
      ['f', 'a/x', 0o644, 1, rawCid(id)]
    ]
    return { content: await onePage(store, entries), sizeBytes: 1, files: 1 }
  },
  'a manifest that is none': async store => {
    const content = rawCid(await put(store, Buffer.alloc(500, 0xfe)))
    return { content, sizeBytes: 1, files: 1 }
  },
  /** A root that promises a petabyte of manifest. */
  'an endless manifest': async store => {
    const children = Array.from({ length: TREE_FANOUT }, (_, i) => ({
      id: hashBlock(Buffer.from(`nowhere ${i}`)),
      lengthBytes: 2 ** 40
    }))
    const content = nodeCid(await put(store, encodeNode(3, children)))
    return { content, sizeBytes: 1, files: 1 }
  },
  /** Three nodes that stand for 2^30 chunks of one byte in one file, which the format refuses: a walk over each would take hours. */
  'a deep tree': async store => {
    // The chunk is nowhere: the fetch fails at it, and is tried again with all of the tree at hand.
    let id = hashBlock(Buffer.from('d'))
    let lengthBytes = 1
    for (let level = 1; level <= 3; level++) {
      const child = { id, lengthBytes }
      id = await put(
        store,
        encodeNode(
          level,
          Array.from({ length: TREE_FANOUT }, () => child)
        )
      )
      lengthBytes *= TREE_FANOUT
    }
    const page = [['f', 'deep', 0o644, lengthBytes, nodeCid(id)]]
    return { content: await onePage(store, page), sizeBytes: lengthBytes, files: 1 }
  }
} satisfies Record<string, (store: ContentStore, stored: IngestResult) => Promise<StatedContent>>

export type Structure = keyof typeof STRUCTURES
