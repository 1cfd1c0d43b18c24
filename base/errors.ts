/**
 * Errors of Catalog: one class, one table of codes.
 *
 * A code is stable: programs match on it, users look it up in docs/errors.md (generated from this table). The table
 * is also the one map from a code to its HTTP status (admin API), exit status (command line) and wire status
 * (peer protocols). `hint` says what a person can do; a throw site may give a more exact one.
 */

/** Exit statuses of the command line (docs/cli.md). */
export const ExitCode = {
  Done: 0,
  Failed: 1,
  Usage: 2,
  NotFound: 3,
  NotPermitted: 4,
  VerificationFailed: 5,
  Network: 6,
  NoDaemon: 7,
  Conflict: 8
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Statuses that cross the wire between peers; numbers are a contract (docs/wire.md). */
export const WireStatus = {
  Ok: 0,
  BadRequest: 1,
  NotFound: 2,
  Busy: 3,
  NotPermitted: 4,
  TooLarge: 5,
  Internal: 6,
  Unsupported: 7,
  ShuttingDown: 8
} as const
export type WireStatus = (typeof WireStatus)[keyof typeof WireStatus]

interface ErrorCodeInfo {
  readonly http: number
  readonly exit: ExitCode
  readonly wire: WireStatus
  /** One sentence for docs/errors.md. */
  readonly meaning: string
  /** What the reader can do about it. */
  readonly hint: string
}

const { Failed, Usage, NotFound, NotPermitted, VerificationFailed, Network, NoDaemon, Conflict } = ExitCode
const W = WireStatus

/** Makes one row; keeps the table below one line per code. */
const row = (
  http: number,
  exit: ExitCode,
  wire: WireStatus,
  meaning: string,
  hint: string
): ErrorCodeInfo => ({
  http,
  exit,
  wire,
  meaning,
  hint
})

export const ERROR_CODES = {
  // --- general
  INTERNAL: row(
    500,
    Failed,
    W.Internal,
    'A bug in Catalog: something the code holds to be impossible.',
    'report it with the request id and the daemon log'
  ),
  INVALID_ARGUMENT: row(
    400,
    Usage,
    W.BadRequest,
    'An argument, flag or request field is not of the form it must have.',
    'correct the value named in the message'
  ),
  ABORTED: row(499, Failed, W.Internal, 'The caller cancelled the operation.', 'run it again when wanted'),
  TIMEOUT: row(
    504,
    Network,
    W.Busy,
    'The operation did not finish within its time limit.',
    'try again, or raise the limit with --timeout'
  ),
  LIMIT_EXCEEDED: row(
    413,
    Failed,
    W.TooLarge,
    'A named limit was reached.',
    'see the limit in the message and in docs/configuration.md'
  ),
  BUSY: row(503, Network, W.Busy, 'The node has no room for this request now.', 'try again in a moment'),
  UNSUPPORTED: row(
    501,
    Failed,
    W.Unsupported,
    'This node does not know this feature, platform or version.',
    'see the message for what is supported'
  ),
  CIRCUIT_OPEN: row(
    503,
    Network,
    W.Busy,
    'A part that failed repeatedly is being left alone for a while.',
    'wait for the time given; `catalog status` shows what fails'
  ),
  NOT_FOUND: row(
    404,
    NotFound,
    W.NotFound,
    'There is nothing of that name or id here.',
    'check the spelling; `catalog list` shows what this node holds'
  ),

  LIBRARY_EXISTS: row(
    409,
    Conflict,
    W.Internal,
    'This node has a library of that name already.',
    'choose another name; `catalog library list` shows those that are here'
  ),
  ALREADY_FOLLOWED: row(
    409,
    Conflict,
    W.Internal,
    'The library is followed already.',
    '`catalog sync --status` shows how that goes'
  ),
  RELEASE_BLOCKED: row(
    403,
    NotPermitted,
    W.NotFound,
    'The operator of this node has blocked the release, its owner or its content.',
    '`catalog block list` shows what is blocked and why, `catalog block remove` lets it in again'
  ),
  NOT_PERMITTED: row(
    403,
    NotPermitted,
    W.NotPermitted,
    "What was asked for would show something to those who may not see it, or change what is not this node's to change.",
    'see docs/operations.md, "Libraries and who may see them"'
  ),
  MIRRORING_OFF: row(
    409,
    Conflict,
    W.Unsupported,
    'This node does not mirror.',
    'catalog config set mirroring.enabled true, and start the daemon anew'
  ),
  METHOD_NOT_ALLOWED: row(
    405,
    Usage,
    W.BadRequest,
    'The admin API has this path, with other methods.',
    'use a method that the Allow header names'
  ),

  // --- configuration
  CONFIG_UNKNOWN_KEY: row(
    400,
    Usage,
    W.BadRequest,
    'The configuration has a key that Catalog does not know.',
    'use the nearest key named in the message, or `catalog config docs`'
  ),
  CONFIG_BAD_VALUE: row(
    400,
    Usage,
    W.BadRequest,
    'A configuration value breaks its rule.',
    'correct the value; `catalog config docs` lists every rule'
  ),
  CONFIG_SYNTAX: row(
    400,
    Usage,
    W.BadRequest,
    'The configuration file is not valid TOML.',
    'correct the line named in the message'
  ),

  CONFIG_OVERRIDDEN: row(
    409,
    Conflict,
    W.Internal,
    'A setting comes from the environment or a flag of the daemon, so a change of its file would have no effect.',
    'start the daemon without the variable or flag named in the message'
  ),

  // --- home and daemon
  HOME_MISSING: row(
    404,
    NotFound,
    W.Internal,
    'There is no Catalog home in this folder.',
    'run `catalog init` first, or give the right --home'
  ),
  HOME_EXISTS: row(
    409,
    Conflict,
    W.Internal,
    'The folder already holds a Catalog home; init never overwrites.',
    'use it as it is, or give another --home'
  ),
  HOME_LOCKED: row(
    409,
    Conflict,
    W.Internal,
    'Another daemon runs on this home.',
    'stop the process named in the message, or give another --home'
  ),
  HOME_PERMISSIONS: row(
    403,
    NotPermitted,
    W.Internal,
    'The home or a key in it can be read by other users, or may not be used by this one.',
    'chmod 700 the home and 600 the keys, as the user they belong to'
  ),
  FORMAT_TOO_NEW: row(
    409,
    Failed,
    W.Internal,
    'The home was written by a newer Catalog.',
    'upgrade Catalog, or restore a backup from before the upgrade into another --home; nothing was changed'
  ),
  FORMAT_INVALID: row(
    500,
    Failed,
    W.Internal,
    'The FORMAT file of the home cannot be read.',
    'restore it from a backup of the home'
  ),
  MIGRATION_FAILED: row(
    500,
    Failed,
    W.Internal,
    'A migration of the home failed; it can be run again.',
    'correct the cause in the message and start the daemon again'
  ),
  STATE_REFUSED: row(
    409,
    Conflict,
    W.Busy,
    'The daemon is in a state that does not allow this.',
    '`catalog status` shows the state; `catalog resume` ends a pause'
  ),
  SHUTTING_DOWN: row(
    503,
    NoDaemon,
    W.ShuttingDown,
    'The daemon is shutting down.',
    'try again when it has started'
  ),
  NO_DAEMON: row(
    503,
    NoDaemon,
    W.Internal,
    'No daemon answers on the admin socket.',
    'start one with `catalog daemon`, or give the right --home'
  ),
  SOCKET_IN_USE: row(
    409,
    Conflict,
    W.Internal,
    'Something else already answers on the admin socket.',
    'stop it, or give another --home'
  ),
  SOCKET_PATH_TOO_LONG: row(
    400,
    Usage,
    W.Internal,
    'The path of the admin socket is longer than the system allows.',
    'use a home with a shorter path, or set admin.socket'
  ),
  LISTEN_FAILED: row(
    500,
    Network,
    W.Internal,
    'The node could not listen on an address.',
    'free the port or give another with --listen'
  ),
  OPERATION_NOT_FOUND: row(
    404,
    NotFound,
    W.NotFound,
    'There is no operation of that id (finished ones are kept for a while).',
    'list them with GET /v1/operations'
  ),

  // --- disk
  DISK_FULL: row(
    507,
    Failed,
    W.Busy,
    'The disk is full; what was being written was undone.',
    'free space on the disk and run the command again'
  ),
  DISK_IO: row(
    500,
    Failed,
    W.Internal,
    'The disk refused a read or a write.',
    'check the disk named in the message'
  ),
  QUOTA_EXCEEDED: row(
    507,
    Failed,
    W.Busy,
    'The store has reached its quota.',
    'let go of something (`catalog unpin`, `catalog remove`), or raise store.quota'
  ),
  BUCKET_UNREACHABLE: row(
    503,
    Network,
    W.Busy,
    'The bucket that holds sealed segments does not answer, or answers with errors of its own. What is only there cannot be read now; nothing is lost.',
    'it is tried again by itself; see that the server of store.s3.endpoint runs and can be reached from here'
  ),
  BUCKET_REFUSED: row(
    502,
    Failed,
    W.Busy,
    'The bucket that holds sealed segments refuses this node.',
    'check store.s3.bucket, store.s3.region, the credentials and what they allow, and the clock of this machine'
  ),
  BUCKET_CONFLICT: row(
    409,
    Conflict,
    W.Busy,
    'The bucket and prefix hold what this store did not put there, or nothing of what it did.',
    'set store.s3 as it was, and give each home a store.s3.prefix of its own; to take over the segments of a home that is gone for good, delete the object `owner` below its prefix'
  ),
  BUCKET_BACKLOG_FULL: row(
    507,
    Failed,
    W.Busy,
    'So much waits for the bucket that nothing more is taken in.',
    'see `catalog doctor` for why the bucket does not take it, or raise store.s3.backlog'
  ),
  BUCKET_NOT_CONFIGURED: row(
    500,
    Failed,
    W.Internal,
    'Segments of this home stand in a bucket, and none is configured.',
    'set store.backend to `s3`, and store.s3 as it was'
  ),
  RELEASE_PINNED: row(
    409,
    Failed,
    W.BadRequest,
    'The release is pinned, so it is not let go of.',
    'run `catalog unpin` for it first'
  ),
  CONTENT_CORRUPT: row(
    500,
    VerificationFailed,
    W.Internal,
    'Stored bytes do not match their hash; they are not served.',
    'fetch the release again'
  ),
  CONTENT_MISSING: row(
    404,
    NotFound,
    W.NotFound,
    'A part of the content is not in the local store.',
    'run `catalog fetch` for the release'
  ),
  CONTENT_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A manifest or file tree is not of the one form its content allows.',
    'the publisher must publish it again; it was not made by Catalog'
  ),
  LIBRARY_EXPIRED: row(
    409,
    VerificationFailed,
    W.Internal,
    'The release is known only from libraries whose heads have expired: a yank or a newer version may be missing.',
    'bring the library up to date with `catalog sync`, or take it as it is with --stale'
  ),
  TREE_DAMAGED: row(
    500,
    VerificationFailed,
    W.Internal,
    'The Merkle tree of a library does not fit together or not to its records; nothing is proven from it.',
    'run `catalog verify --all --repair`: it builds the tree anew from the records'
  ),
  SOURCE_UNREADABLE: row(
    400,
    Failed,
    W.Internal,
    'A file or folder to publish cannot be read.',
    'check that it exists and its permissions'
  ),
  SOURCE_CHANGED: row(
    409,
    Conflict,
    W.Internal,
    'A file changed while it was being published; nothing was published.',
    'publish again when nothing writes to the folder'
  ),
  PATH_REFUSED: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A path in a release is unsafe or not portable.',
    'the publisher must rename or exclude the entry named in the message'
  ),
  ENTRY_REFUSED: row(
    400,
    Failed,
    W.BadRequest,
    'A folder to publish holds a device, pipe or socket.',
    'exclude it with .catalogignore'
  ),
  TARGET_REFUSED: row(
    409,
    Conflict,
    W.Internal,
    'The install target holds something that this install did not put there.',
    'choose an empty folder'
  ),
  TARGET_BUSY: row(
    409,
    Conflict,
    W.Internal,
    'Another install is working in the same target.',
    'wait until it has ended, then run the command again'
  ),
  TARGET_NOT_WRITABLE: row(
    403,
    NotPermitted,
    W.Internal,
    'The install target, or a folder in it, may not be written by this user.',
    'choose a folder of your own, or correct its permissions'
  ),
  LOCK_INVALID: row(
    409,
    Conflict,
    W.Internal,
    'catalog-lock.json cannot be read, or says what its releases do not.',
    'restore it, or install each package by its name, without --frozen'
  ),

  // --- keys, records, names
  KEY_NOT_FOUND: row(
    404,
    NotFound,
    W.NotFound,
    'There is no publisher key of that name.',
    '`catalog key list` shows the keys of this home'
  ),
  KEY_EXISTS: row(409, Conflict, W.Internal, 'There is already a key of that name.', 'choose another name'),
  KEY_LOCKED: row(
    403,
    NotPermitted,
    W.Internal,
    'The key is encrypted and the passphrase is missing or wrong.',
    'set CATALOG_PASSPHRASE or answer the prompt'
  ),
  KEY_INVALID: row(
    400,
    Usage,
    W.BadRequest,
    'The key is not an Ed25519 key in a form Catalog reads.',
    'use a PKCS#8 or SPKI PEM file'
  ),
  NAME_INVALID: row(
    400,
    Usage,
    W.BadRequest,
    'The package name is not allowed.',
    'use [a-z0-9][a-z0-9._-]{0,63}, with an optional @scope/'
  ),
  VERSION_INVALID: row(
    400,
    Usage,
    W.BadRequest,
    'The version is not strict SemVer without build metadata.',
    'use a version such as 1.4.0 or 2.0.0-rc.1'
  ),
  SPEC_INVALID: row(
    400,
    Usage,
    W.BadRequest,
    'The release specification cannot be read.',
    'use name, name@range, @scope/name@1.2.3 or a CID'
  ),
  RECORD_TOO_LARGE: row(
    413,
    VerificationFailed,
    W.TooLarge,
    'A record is larger than 32 KiB.',
    'shorten the description, keywords, dependencies or extensions'
  ),
  RECORD_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A record is not canonical DAG-CBOR or a field breaks its bounds.',
    'the publisher must correct and sign it again'
  ),
  SIGNATURE_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'The signature of a record does not match its bytes and key.',
    'do not use it; it was forged or damaged'
  ),
  HEAD_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A head of a library is not canonical DAG-CBOR or a field breaks its bounds.',
    'do not believe it; ask another peer'
  ),
  MEMBER_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'The record in which a node volunteers to mirror is not canonical DAG-CBOR or a field breaks its bounds.',
    'do not count on that node; it signs a new record once a day at least'
  ),
  DEMAND_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'Counts of what was fetched are not in their one form, or are of another node than the one that told them.',
    'do not believe them; the node counts on its own'
  ),
  RECEIPT_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A receipt for content that a node took is not canonical DAG-CBOR or a field breaks its bounds.',
    'do not count it; nothing depends on a receipt'
  ),
  PROOF_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A proof is not in its one form, or does not belong to the set that its root stands for.',
    'do not believe it; ask for another one, with the root of a head that you trust'
  ),
  RECORD_EARLY: row(
    425,
    VerificationFailed,
    W.BadRequest,
    'A record is dated more than 10 minutes ahead of the clock of this node.',
    'check the clock of this machine and of the publisher; it can be accepted when its time has come'
  ),
  RELEASE_EXISTS: row(
    409,
    Conflict,
    W.Internal,
    'This name and version was already published by this owner with other content, perhaps in a release that was removed since.',
    'publish under a new version'
  ),
  RELEASE_NOT_FOUND: row(
    404,
    NotFound,
    W.NotFound,
    'No release matches the specification.',
    'check the name and range; `catalog versions NAME` lists what is known'
  ),
  RELEASE_EQUIVOCATED: row(
    409,
    Conflict,
    W.Internal,
    'The owner signed several contents as one version, and nothing here says which one is meant.',
    'ask the publisher; to take one all the same, name it by the CID of its record, which `catalog conflicts show NAME` prints'
  ),
  NOT_OWNER: row(
    403,
    NotPermitted,
    W.NotPermitted,
    'Only the owner of a release may change its status or its words.',
    'sign with the key that published it: --key NAME, see `catalog key list`'
  ),
  OWNER_AMBIGUOUS: row(
    409,
    Conflict,
    W.Internal,
    'Several owners publish under this name and none is pinned here.',
    'choose one with --publisher KEY'
  ),
  OWNER_UNCONFIRMED: row(
    409,
    Conflict,
    W.Internal,
    'The name is known from a closed library of another node only, so nobody else could be asked whose it is.',
    'if you mean that publisher, say so once with --publisher KEY; an install pins it'
  ),
  OWNER_CHANGED: row(
    409,
    VerificationFailed,
    W.Internal,
    'The name belongs to another owner than the one pinned here.',
    'check with the publisher; --publisher KEY accepts another'
  ),
  OWNER_CONFLICT: row(
    409,
    Conflict,
    W.Internal,
    'The folder has a package of this name from another owner, as its lock file says.',
    'check with the publisher; --publisher KEY accepts another, or install into another folder'
  ),

  // --- network
  NO_PEERS: row(
    503,
    Network,
    W.Internal,
    'The node is connected to nobody.',
    'join a network with `catalog init --join INVITE`, or `catalog peers connect ADDR`'
  ),
  NO_PROVIDERS: row(
    404,
    Network,
    W.NotFound,
    'Nobody who can be reached announces this.',
    'check that the publisher is online; try again later'
  ),
  DIAL_FAILED: row(
    502,
    Network,
    W.Internal,
    'The peer could not be reached.',
    'check the address and that the peer runs'
  ),
  PEER_REFUSED: row(
    502,
    Network,
    W.NotPermitted,
    'The peer refused the connection or the request.',
    'the peer decides; ask its operator'
  ),
  PEER_BANNED: row(
    409,
    Conflict,
    W.Internal,
    'The operator of this node has banned the peer: it is not connected to, and asked for nothing.',
    '`catalog peers show PEER` tells since when and why, `catalog peers unban PEER` lets it in again'
  ),
  PEER_LEFT: row(
    503,
    Network,
    W.Busy,
    'The peer said goodbye and has not come back.',
    'another source is tried; it is asked again when it connects, or at once with --from'
  ),
  PARTITIONED: row(
    503,
    Network,
    W.Busy,
    'The peer was lost in a partition of the network, and is not back.',
    '`catalog status` says how it stands; `--later` leaves it with the daemon until the partition has healed'
  ),
  PEER_FAILED: row(
    502,
    Network,
    W.Internal,
    'The peer failed at answering the request.',
    'another source is tried; the operator of the peer finds the cause in its log'
  ),
  PEER_ADDRESS_INVALID: row(
    400,
    Usage,
    W.BadRequest,
    'The address is not a multiaddr Catalog can dial.',
    'use /ip4/1.2.3.4/udp/4747/quic-v1/p2p/12D3...'
  ),
  PROTOCOL_VIOLATION: row(
    502,
    VerificationFailed,
    W.BadRequest,
    'A peer sent bytes that its protocol does not allow.',
    'the peer is scored down; another source is tried'
  ),
  STREAM_TRUNCATED: row(
    502,
    Network,
    W.Internal,
    'A stream ended before all promised bytes had come.',
    'the transfer resumes from what was verified'
  ),
  SOURCE_SLOW: row(
    503,
    Network,
    W.Busy,
    'A source of a fetch sent so much less than the others that it was let go.',
    'nothing: the others go on, and it is asked again when one of them is gone'
  ),
  BYTES_WRONG: row(
    502,
    VerificationFailed,
    W.Internal,
    'A peer sent bytes that do not match their hash; they were thrown away.',
    'the peer is scored down; another source is tried'
  ),
  HEAD_CONTRADICTED: row(
    409,
    VerificationFailed,
    W.BadRequest,
    'The writer of a library has signed two heads that contradict each other; nothing is taken from it.',
    '`catalog doctor` names the writer; both heads are kept as evidence'
  ),
  SYNC_DIVERGED: row(
    409,
    VerificationFailed,
    W.BadRequest,
    'Two copies of a library still differ after everything was exchanged twice: one side refuses records, or says what is not so.',
    'another peer is asked; if it lasts, compare `catalog doctor` and the versions of both nodes'
  ),
  BUNDLE_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A file is no bundle, is cut off, or was changed since it was made.',
    'copy it again, or have it made again with `catalog bundle create`; an import keeps what it had verified until there'
  ),
  BACKUP_INVALID: row(
    400,
    VerificationFailed,
    W.BadRequest,
    'A file is no backup of a home, is cut off, or was changed since it was made.',
    'take another copy of the file, or an older backup; nothing of this one was put in place'
  ),
  INVITE_INVALID: row(
    400,
    Usage,
    W.BadRequest,
    'The invite cannot be read.',
    'copy it whole, it starts with catalog1:'
  )
} as const satisfies Record<string, ErrorCodeInfo>

export type ErrorCode = keyof typeof ERROR_CODES

export interface CatalogErrorOptions {
  /** What to do about it, where more exact than the table's. */
  hint?: string
  /** Facts for programs: plain JSON values only. */
  details?: Record<string, unknown>
  cause?: unknown
}

/** The JSON form of an error, on the admin API and the command line. */
export interface ErrorJson {
  code: ErrorCode
  message: string
  hint: string
  details?: Record<string, unknown>
}

/** Messages of libraries and paths may hold line breaks; an error is one line in a log, a terminal and JSON alike. */
const oneLine = (text: string): string => text.replace(/\s*[\r\n\u2028\u2029]\s*/g, ' ').trim()

/** The one error class of Catalog; `code` says which. */
export class CatalogError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: CatalogErrorOptions = {}) {
    super(oneLine(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CatalogError'
    this.code = code
    this.hint = oneLine(options.hint ?? ERROR_CODES[code].hint)
    this.details = options.details
  }

  get exitCode(): ExitCode {
    return ERROR_CODES[this.code].exit
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].http
  }

  get wireStatus(): WireStatus {
    return ERROR_CODES[this.code].wire
  }

  toJSON(): ErrorJson {
    const json: ErrorJson = { code: this.code, message: this.message, hint: this.hint }
    if (this.details !== undefined) json.details = this.details
    return json
  }

  /** Rebuilds an error that crossed a thread or the admin socket. Unknown codes become INTERNAL. */
  static fromJSON(json: ErrorJson): CatalogError {
    const code = Object.hasOwn(ERROR_CODES, json.code) ? json.code : 'INTERNAL'
    return new CatalogError(code, json.message, {
      hint: json.hint,
      ...(json.details === undefined ? {} : { details: json.details })
    })
  }
}

const ERRNO_CODES: Record<string, ErrorCode> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EIO: 'DISK_IO',
  EROFS: 'DISK_IO',
  EMFILE: 'LIMIT_EXCEEDED',
  ENFILE: 'LIMIT_EXCEEDED'
}

/** What the file system says of a path: only with one, since the network answers EACCES and EPERM too. */
const PATH_ERRNO_CODES: Record<string, ErrorCode> = {
  EACCES: 'HOME_PERMISSIONS',
  EPERM: 'HOME_PERMISSIONS',
  ENOTDIR: 'DISK_IO',
  EISDIR: 'DISK_IO',
  ELOOP: 'DISK_IO',
  ENAMETOOLONG: 'DISK_IO'
}

/** Node writes the path into the messages of the file system; a stream's may lack it. */
function pathError(error: NodeJS.ErrnoException): CatalogError | undefined {
  const { code, path, message } = error
  const named = code === undefined || path === undefined ? undefined : PATH_ERRNO_CODES[code]
  if (named === undefined) return undefined
  const shown = message.includes(path!) ? message : `${path}: ${message}`
  const hint =
    named === 'DISK_IO'
      ? 'check the path named in the message'
      : 'the user that owns it can correct its permissions'
  return new CatalogError(named, shown, { cause: error, details: { path }, hint })
}

/** Gives any thrown value a code: ours stay, aborts, time-outs and disk errors are named, the rest is INTERNAL. */
export function toCatalogError(thrown: unknown): CatalogError {
  if (thrown instanceof CatalogError) return thrown
  if (!(thrown instanceof Error))
    return new CatalogError('INTERNAL', `something that is no error was thrown: ${String(thrown)}`)
  const errno = (thrown as NodeJS.ErrnoException).code
  const named = errno === undefined ? undefined : ERRNO_CODES[errno]
  if (named !== undefined) return new CatalogError(named, thrown.message, { cause: thrown })
  const ofPath = pathError(thrown)
  if (ofPath !== undefined) return ofPath
  if (thrown.name === 'TimeoutError') return new CatalogError('TIMEOUT', thrown.message, { cause: thrown })
  if (thrown.name === 'AbortError') return new CatalogError('ABORTED', thrown.message, { cause: thrown })
  return new CatalogError('INTERNAL', thrown.message, { cause: thrown })
}
