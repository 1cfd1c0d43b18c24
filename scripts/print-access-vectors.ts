/**
 * Prints the test vectors of access lists (test/fixtures/vectors/records/access-lists.json, docs/records.md):
 * `node scripts/print-access-vectors.ts`. The file is frozen: cases are added, and never changed. Ed25519 is deterministic, so every run
 * prints the same.
 */
import {
  ACCESS_LIFETIME_MS,
  accessListKey,
  createAccessList,
  createRecord,
  type NewAccessList,
  recordHash,
  type SignedRecord,
  trieKey
} from '../library/records/index.ts'
import { libraryIdOf } from '../sync/index.ts'
import { SigningKey, sha256 } from '../trust/index.ts'

/** 2026-01-01T00:00:00Z. */
const TIME_MS = 1_767_225_600_000
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))
const node = SigningKey.fromSeed(hashOf('catalog vector node'))
const [ada, bob] = ['ada', 'bob'].map(name => SigningKey.fromSeed(hashOf(`catalog vector ${name}`)).publicKey)
const library = libraryIdOf(node.publicKey, 'team')

const LIST: NewAccessList = {
  library,
  access: 'restricted',
  members: [ada!, bob!],
  secret: hashOf('a secret'),
  sequence: TIME_MS
}

function valid(name: string, list: NewAccessList): object {
  const record = createAccessList(list, node)
  return {
    name,
    access: list.access,
    group: list.group,
    members: list.members.map(hex),
    record: hex(record.bytes),
    id: record.id.toString(),
    trieKey: hex(trieKey(record)),
    recHash: hex(recordHash(record.bytes))
  }
}

/** A list with fields of its body changed, signed whatever is there. */
function forged(
  over: Record<string, unknown>,
  { kind = 'access-list', subject = library } = {}
): SignedRecord {
  const { access, secret } = LIST
  const members = [ada!, bob!].sort(Buffer.compare)
  const body = { access, members, secret, expires: TIME_MS + ACCESS_LIFETIME_MS, ...over }
  const present = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
  return createRecord({ kind, sequence: TIME_MS, subject, body: present }, node)
}

const numbered = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, number) => hashOf(`member ${number}`)).sort(Buffer.compare)

const invalid: Array<[string, SignedRecord]> = [
  ['another kind', forged({}, { kind: 'library-config' })],
  ['a subject that is no id of a library', forged({}, { subject: library.slice(1) })],
  ['no members', forged({ members: undefined })],
  ['members in another order', forged({ members: [ada!, bob!].sort(Buffer.compare).reverse() })],
  ['a member twice', forged({ members: [ada!, ada!] })],
  ['a member that is no key', forged({ members: [ada!.slice(1)] })],
  ['513 members', forged({ members: numbered(513) })],
  ['a secret of 31 bytes', forged({ secret: new Uint8Array(31) })],
  ['no secret', forged({ secret: undefined })],
  ['an access that is no word', forged({ access: 'Everybody!' })],
  ['a group that is no name', forged({ group: '../friends' })],
  ['good for longer than 4 days', forged({ expires: TIME_MS + ACCESS_LIFETIME_MS + 1 })],
  ['no end', forged({ expires: undefined })]
]

const vectors = {
  about:
    'Access lists of catalog-record/1, see docs/records.md: valid ones, and records that admit nobody. Frozen: cases are added, never changed.',
  seed: hex(node.exportSeed()),
  library: hex(library),
  trieKey: hex(accessListKey(node.publicKey, library)),
  lists: [
    valid('of two nodes', LIST),
    valid('of nobody', { ...LIST, members: [] }),
    valid('of a group', { ...LIST, access: 'friends', group: 'friends' }),
    valid('of an access that this version does not know', { ...LIST, access: 'verified' }),
    valid('of as many as there may be', { ...LIST, members: numbered(512) })
  ],
  invalid: invalid.map(([name, { bytes }]) => ({ name, record: hex(bytes) }))
}
process.stdout.write(`${JSON.stringify(vectors, null, 2)}\n`)
