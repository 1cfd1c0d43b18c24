/** What a node tells of its store: what it holds, and what came of checking, collecting and copying it (schemas.ts). */
import * as Type from 'typebox'
import { count, ms, text } from './schema-fields.ts'

export const VerifyResult = Type.Object({
  ok: Type.Boolean(),
  checked: count('Blocks that were hashed again.'),
  bytes: count('Bytes that were hashed again.'),
  missing: count('Blocks that are gone from releases that were complete.'),
  corrupt: count('Blocks whose bytes do not match their hash.'),
  bad: Type.Array(
    Type.Object({ release: Type.String(), id: Type.String(), path: Type.String(), reason: Type.String() }),
    { description: 'The first 1000 of the missing and the corrupt ones.' }
  ),
  partial: Type.Array(
    Type.Object({
      release: Type.String(),
      blocks: count('Blocks that are here.'),
      blocksKnown: count('Blocks that are needed, as far as the ones here tell.')
    }),
    { description: 'Releases that were fetched in part: nothing is wrong with them.' }
  ),
  repaired: Type.Array(
    Type.Object({
      release: Type.String(),
      ok: Type.Boolean({ description: 'Whether every block is right now.' }),
      error: Type.Optional(text('Code of the error why not.'))
    }),
    { description: 'Damaged releases that were fetched again; `ok` of the whole counts what is right now.' }
  ),
  trees: Type.Array(
    Type.Object({
      library: text('Name of the library here.'),
      ok: Type.Boolean({ description: 'Whether the tree is what its records make it, now.' }),
      root: Type.Optional(text('Root of the set, in hex.')),
      records: count('Records in the tree.'),
      nodes: count('Nodes of the tree.'),
      problems: Type.Array(Type.String(), { description: 'The first 100 things that were wrong with it.' }),
      problemCount: count('How many things were wrong with it.'),
      rebuilt: Type.Boolean({ description: 'It was built anew from the records.' })
    }),
    { description: 'The trees over the records of libraries, checked when everything is.' }
  )
})
export type VerifyResult = Type.Static<typeof VerifyResult>

export const CollectResult = Type.Object({
  dryRun: Type.Boolean({ description: 'Nothing was changed: the figures say what would go.' }),
  bytesBefore: count('Bytes of the store at the beginning.'),
  bytes: count('Bytes of the store afterwards.'),
  freedBytes: count('Bytes given back to the disk.'),
  garbageBytes: count('Bytes of blocks that nothing needs; what shares a file with much else stays on disk.'),
  blocks: count('Blocks that nothing needs.'),
  segments: count('Segment files that went.'),
  rewritten: count('Of them, those whose other blocks were moved first.'),
  gaps: count('Pages and nodes that kept contents lack: not 0 means damage, see `catalog verify --all`.'),
  pinnedBytes: count('Bytes of contents that are pinned.'),
  ownBytes: count('Bytes of contents published here, which never go by themselves.'),
  releases: Type.Array(
    Type.Object({
      name: text('name@version of what names the content.'),
      content: text('CID of the content.'),
      sizeBytes: count('Sum of the sizes of its files.'),
      reason: text('unused: the longest unused, to come below the quota; unnamed: no release names it.')
    }),
    { description: 'Contents that were let go of.' }
  ),
  tookMs: ms('How long it took.')
})
export type CollectResult = Type.Static<typeof CollectResult>

export const ContentItem = Type.Object({
  content: text('CID of the content.'),
  state: Type.Enum(['complete', 'damaged', 'partial'], {
    description: 'damaged: it was complete and lacks a block; partial: its fetch has not ended.'
  }),
  sizeBytes: Type.Optional(
    count('Sum of the sizes of all files; absent of a damaged one that no release names.')
  ),
  files: Type.Optional(count('Number of files.')),
  usedAt: Type.Union([Type.String(), Type.Null()], {
    description: 'When it was last read, served or stored, RFC 3339, to the hour.'
  }),
  releases: Type.Array(Type.String(), { description: 'name@version of what names it, the first 10.' }),
  pins: Type.Array(Type.String(), { description: 'name@version of the releases that it is pinned for.' }),
  isOwn: Type.Boolean({ description: 'Published here: never goes by itself.' }),
  isMirrored: Type.Boolean({ description: 'Held for others: goes when mirroring lets go of it.' })
})
export type ContentItem = Type.Static<typeof ContentItem>

export const ContentList = Type.Object({
  contents: Type.Array(ContentItem),
  next: Type.Optional(Type.String())
})
export type ContentList = Type.Static<typeof ContentList>

export const CopyResult = Type.Object({
  to: text('The other home.'),
  ok: Type.Boolean({ description: 'Nothing failed.' }),
  releases: count('Releases that are there now, with what is said of them and their pins.'),
  copiedBytes: count('Bytes of blocks that were copied.'),
  reusedBytes: count('Bytes of files that were there already.'),
  failed: count('Releases that could not be copied.'),
  notCopied: Type.Array(Type.Object({ release: Type.String(), error: text('Code of the error.') }), {
    description: 'The first 1000 of them; CONTENT_MISSING: not whole here.'
  }),
  tookMs: ms('How long it took.')
})
export type CopyResult = Type.Static<typeof CopyResult>
