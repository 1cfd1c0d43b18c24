import { KIB } from '../../base/index.ts'

/**
 * Every bound of a record, in one table. They are part of the format: a record outside them is invalid on every node and for
 * ever, so none may change under a format number. Text is measured in bytes of UTF-8, so that all languages count alike.
 * The sum of the field bounds is more than a record may have; `recordBytes` is what holds in the end.
 */
export const RECORD_LIMITS = {
  /** The whole signed record: small enough to send hundreds in one exchange and to index a million. Checked before decoding. */
  recordBytes: 32 * KIB,
  /** Levels of lists and maps: the format itself uses 4; the rest is for extensions. Keeps recursive decoders safe. */
  depth: 16,
  /** Values of all kinds in one record, keys included: one byte can be a value, and values cost memory when decoded. */
  items: 8192,
  /** Lower-case words such as `library-config`. */
  kindChars: 32,
  /** What a record of another kind is about: two names or a few hashes. */
  subjectBytes: 256,

  /** A paragraph or a page; longer texts belong in the content. */
  descriptionBytes: 4 * KIB,
  keywords: 32,
  categories: 16,
  /** One keyword, category, feature or key of a map. */
  wordBytes: 64,
  /** The longest expressions of real packages are below 150. */
  licenceBytes: 256,
  authors: 64,
  /** Name, mail address and web page of one person. */
  authorBytes: 256,
  links: 16,
  /** Longer URLs break in mail and chat. */
  linkBytes: 1 * KIB,
  /** A path inside the content. */
  entryPointBytes: 512,
  /** The largest package.json files in use name fewer than 400. */
  dependencies: 512,
  /** What `semver` accepts. */
  rangeBytes: 256,
  platformBytes: 64,
  features: 64,
  /** Features that one feature switches on, or that one dependency asks for. */
  featureList: 64,
  requirements: 32,
  hooks: 16,
  migrations: 64,
  provenance: 32,
  /** A command line, a digest, a URL: the value of a requirement, hook, migration or provenance entry. */
  mapValueBytes: 1 * KIB,
  extensions: 64,
  /** A whole status or attestation: names, a line of text, and room for fields to come. Several travel with each release. */
  statementBytes: 4 * KIB,
  /** Nodes on an access list: half of the record. A larger audience is better served by a public library. */
  accessMembers: 512,
  /** A state, the word of an attestation, or a class of access. */
  statementChars: 32,
  /** One line of text for people. */
  reasonBytes: 1 * KIB,
  /** The longest name, `@` and the longest range. */
  replacementBytes: 387,
  /** A hashcash stamp. */
  workStampBytes: 128,
  /** A CIDv1 with SHA-256 has 36 bytes. */
  cidBytes: 36,
  /** Sizes and counts: what every language holds exactly. */
  integer: Number.MAX_SAFE_INTEGER,
  /** 2020-01-01: before Catalog, so a clock that was never set. */
  earliestMs: Date.UTC(2020, 0, 1),
  /** 9999-12-31T23:59:59.999Z, the last instant of RFC 3339. A node's own clock bounds it further (registry). */
  latestMs: Date.UTC(9999, 11, 31, 23, 59, 59, 999)
} as const

/**
 * The content format: constants of the chunker, form of trees and manifests (docs/disk-format.md). Every release states
 * it, so that one written by a later format is refused instead of misread.
 */
export const CONTENT_FORMAT = 1
