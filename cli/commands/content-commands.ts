import type { SyncMode } from '../../config/index.ts'
import type { Priority } from '../../protocols/index.ts'
import { wholeNumber } from '../framework/parse.ts'
import type { CommandSpec, OptionSpec } from '../framework/tree.ts'
import { FILTER_OPTIONS, PACKAGE_TYPES } from './filter-options.ts'
import { PAGES } from './store-commands.ts'

/** Spelled out, so that help does not load config and the protocols. */
const SYNC_MODES: readonly SyncMode[] = ['mirror', 'union']
const PRIORITIES: readonly Priority[] = ['critical', 'high', 'normal', 'low']
/** Nodes that hold one announcement, and so the most that `publish` can wait for; the admin API refuses more. */
const MAX_WAIT = 20
const SPEC_FORMS = 'name, name@range, @scope/name@1.2.3, or the CID of a record'
const STALE: OptionSpec = {
  flags: '--stale',
  description: 'also from libraries that may be out of date, as their nodes have been away for a week'
}
const PUBLISHER: OptionSpec = {
  flags: '--publisher <key>',
  description: 'whose name is meant: a public key, z6Mk…'
}

const LATER: OptionSpec = {
  flags: '--later',
  description:
    'when nobody can be asked now, or the peer is lost: have the daemon do it when somebody can, a week at most'
}

/** Commands about releases: publishing, finding, fetching, installing, checking. */
export const CONTENT_COMMANDS: CommandSpec[] = [
  {
    name: 'publish',
    summary: 'make a signed release of a folder',
    details:
      "Name, version and description come from catalog-package.toml or package.json in the folder unless given. A dependency of package.json that is no name with a range (capitals, file:, git) is recorded as it stands, with a warning; `catalog info` and `catalog install` name it as `unresolved`. What is left out: what .catalogignore says (gitignore syntax); without that file npm's rules hold (files, .npmignore, .gitignore, node_modules). Symbolic links are published as links; devices, pipes and sockets are refused.",
    arguments: [{ name: '<dir>', description: 'folder to publish', complete: 'directory' }],
    options: [
      { flags: '--name <name>', description: 'package name' },
      { flags: '--version <version>', description: 'version, strict SemVer' },
      { flags: '--type <type>', description: 'what it is', choices: PACKAGE_TYPES },
      { flags: '--description <text>', description: 'one line about it' },
      { flags: '--tag <keyword>', description: 'a keyword; may be given several times', repeat: true },
      { flags: '--key <name>', description: 'publisher key to sign with; else the default one' },
      {
        flags: '--library <name>',
        description: 'library of this node that it goes into; else home, which is for everybody'
      },
      {
        flags: '--wait <n>',
        description: `wait until n other nodes hold the announcement, 0 to ${MAX_WAIT}; fewer in the end is exit 6 (else announce.wait)`,
        parse: wholeNumber(0, MAX_WAIT)
      },
      { flags: '--dry-run', description: 'list what would be published, and publish nothing' }
    ],
    examples: [
      { line: 'catalog publish .', does: 'publishes this folder' },
      {
        line: 'catalog publish dist --name @acme/tool --version 1.2.0 --wait 3',
        does: 'publishes and waits for 3 holders'
      },
      {
        line: 'catalog publish . --library team',
        does: 'publishes for those who may know of the library team, and announces nothing when it is not public'
      },
      { line: 'catalog publish . --dry-run', does: 'shows which files would be in the release' }
    ],
    json: '`name`, `version`, `id` (CID of the record), `content` (CID), `sizeBytes`, `files`, `newBytes`, `library`, `access`, `announcedTo`, `warnings[]`; with --dry-run `name`, `version`, `sizeBytes`, `files`, `entries[] {path, kind, sizeBytes?}`, `warnings[]`',
    load: () => import('./publish.ts')
  },
  {
    name: 'list',
    summary: 'the releases that the library holds',
    options: PAGES,
    json: '`packages[] {name, version, type, publisher, id, content, sizeBytes, status, reason?, replacement?, access, local}`, `next?`; `status` is the last word of the owner: published, deprecated, yanked or archived',
    load: () => import('./list.ts')
  },
  {
    name: 'info',
    summary: 'everything about one release',
    arguments: [{ name: '<spec>', description: SPEC_FORMS }],
    options: [PUBLISHER, { flags: '--local', description: 'ask no other node' }],
    json: '`name`, `version`, `type`, `publisher`, `id`, `content`, `sizeBytes`, `status`, `access` (public, private, restricted, friends, or closed: from a library of another node that is not for everybody), `libraries[]` (addresses of those that have it), `local` (none, partial, complete), `attestations[] {signer, statement, holds, sequence}`, and what the publisher stated',
    load: () => import('./info.ts')
  },
  {
    name: 'versions',
    summary: 'the versions of a package',
    arguments: [{ name: '<name>', description: 'package name' }],
    options: [{ flags: '--local', description: 'ask no other node' }],
    json: '`name`, `versions[]`, items as in `list`',
    load: () => import('./versions.ts')
  },
  {
    name: 'fetch',
    summary: 'bring a release into the local store, verified',
    arguments: [{ name: '<spec>', description: SPEC_FORMS }],
    options: [
      PUBLISHER,
      STALE,
      { flags: '--from <peer>', description: 'from this peer only: peer id or multiaddr' },
      {
        flags: '--priority <class>',
        description: 'how urgent it is beside other transfers, here and at the sources (else normal)',
        choices: PRIORITIES
      },
      LATER
    ],
    examples: [{ line: 'catalog fetch left-pad@^1.2', does: 'fetches the highest version in that range' }],
    json: '`id`, `bytesFetched`, `bytesReused`, `sources[] {peerId, bytes}`, `tookMs`, and `name`, `version`, `content`, `sizeBytes`, `files`, `publisher`, `status`; with --later, when nobody could be asked, `queued {id, kind, request, queuedAt, attempts}`',
    load: () => import('./fetch.ts')
  },
  {
    name: 'sync',
    summary: "follow another node's library: make the copy of it here equal to what a peer has",
    details:
      'What is in the home library of the peer, or with --library NAME in another one of its own, comes, verified, and what is not in it any more goes: the copy is exact, and it counts only when its root is the one that the writer has signed. With --library PEERID or PEERID/NAME the peer is asked for a library of another node that it follows itself. What came is found by `list`, `info`, `fetch` and `install` like every record that is here; content comes when it is fetched, or with --content at once, but for what is yanked. A library that changed by more than 10,000 records is taken in parts; one that is cut off goes on with what is missing. What the writer does not tell out of its log of changes is looked for in whichever way costs least; the result says which `way` was taken. A peer compares a large library once a minute: one that has no place says for how long, and is asked again then, while --timeout allows and for a minute and a half at most. --strategy full mends a copy whose records were damaged here. With --mode union the releases of the library, or those that --type and the options below it choose, join the home library of this node after that, with what is said of them: they are announced and shown to others like its own, and stay when the source lets go of them; what you remove does not come back. Libraries in `sync.follow` of the configuration are followed without this command.',
    arguments: [{ name: '[peer]', description: 'peer id or multiaddr' }],
    options: [
      {
        flags: '--library <address>',
        description: "NAME of a library of the peer, or PEERID[/NAME] of another node's; else the peer's home"
      },
      {
        flags: '--content <which>',
        description:
          'content that comes after the records: of packages of which a version is whole here, or all',
        choices: ['none', 'wanted', 'all']
      },
      {
        flags: '--mode <mode>',
        description:
          'mirror: the copy is all (default); union: what is in it joins the home library of this node too',
        choices: SYNC_MODES
      },
      ...FILTER_OPTIONS,
      {
        flags: '--dry-run',
        description:
          'say what would come and go, and store nothing; without a copy here the peer only says how many records it has, else what differs comes, and is thrown away'
      },
      {
        flags: '--strategy <how>',
        description:
          'incremental: the writer tells what it has changed since; differential: what differs is looked for; full: everything comes anew. Else the first with the writer itself, the second with others',
        choices: ['full', 'incremental', 'differential']
      },
      { ...LATER, description: `${LATER.description}; of the other options only --library goes with it` },
      { flags: '--status', description: 'the libraries that copies are here of' },
      { flags: '--forget', description: 'let go of the copy of PEERID, or of PEERID/NAME' }
    ],
    examples: [
      { line: 'catalog sync 12D3…', does: 'takes over the library of that node' },
      {
        line: 'catalog sync 12D3…bbb --library 12D3…aaa',
        does: 'takes the library of aaa from bbb, which follows it'
      },
      {
        line: 'catalog sync 12D3… --mode union --tag security',
        does: 'takes the releases with that keyword into the home library of this node'
      },
      { line: 'catalog sync --status', does: 'shows which libraries are here, and as of when' }
    ],
    json: '`peerId`, `library`, `writer`, `name`, `state` (equal, updated, behind), `way?` (log, sketch, descent, stream), `dryRun`, `received`, `removed`, `sent`, `records`, `bytesIn`, `bytesOut`, `roundTrips`, `root`, `peerRoot`, `head {epoch, revision, expires}`, `joined?`, `content? {fetched, failed, bytesFetched}`, `tookMs`; with --status `libraries[] {library, writer, name, address, records, root, head, isExpired, syncedAt}`, `follows[] {writer, name, address, content, mode, type?, tag?, category?, prefix?, publisher?, state, nextAt?, error?}`; with --forget `writer`, `name`; with --later, when nobody could be asked or had a place, `queued`, as of `fetch`',
    load: () => import('./sync.ts')
  },
  {
    name: 'install',
    summary: 'fetch releases and write them into a folder',
    details:
      'Each package becomes DIR/NAME; catalog-lock.json in DIR says exactly what is there. Files are written while later ones still arrive, and swapped in when all of the release is there and checked: an install that fails or is killed leaves the old state or the new one, and the next one goes on with what has come. A name is pinned on this node to the publisher of its first install, or to your own key when you publish it here first. While several owners publish a name that is not pinned, none is guessed, not even when only one has the version asked for; --publisher KEY chooses one, and is the step that replaces a pin: a change of owner is said. A name that the folder has from another owner is refused likewise. A lock file names the publishers by key, so with --frozen it outranks the pins. A version that its publisher has yanked is not chosen unless it is named exactly or locked, and then there is a warning; of a deprecated or archived one too. Dependencies are recorded but not resolved yet: name them too.',
    arguments: [{ name: '[spec...]', description: `${SPEC_FORMS}; none with --frozen` }],
    options: [
      { flags: '--to <dir>', description: 'folder to install into; has to be given', complete: 'directory' },
      { flags: '--frozen', description: 'install exactly what catalog-lock.json says' },
      STALE,
      PUBLISHER
    ],
    examples: [
      {
        line: 'catalog install left-pad --to vendor',
        does: 'installs the highest version to vendor/left-pad'
      },
      { line: 'catalog install --frozen --to vendor', does: 'makes vendor what its lock file says' }
    ],
    json: '`target`, `installed[] {name, version, id, path}`, `bytesFetched`, `tookMs`, `unresolved[] {name, range, kind, by}`: dependencies that are needed and were not installed, those in forms of npm that are no name with a range too, `ownersChanged[] {name, from, to}`, `warnings[] {name, version, status, reason?, replacement?}`',
    load: () => import('./install.ts')
  },
  {
    name: 'verify',
    summary: 're-hash what the store holds and check signatures',
    arguments: [{ name: '[spec]', description: SPEC_FORMS }],
    options: [
      { flags: '--all', description: 'everything in the store' },
      { flags: '--repair', description: 'fetch what is damaged or missing again from other nodes' }
    ],
    json: '`ok`, `checked`, `bytes`, `missing`, `corrupt`, `bad[] {release, id, path, reason}` (the first 1000), `partial[] {release, blocks, blocksKnown}`, `repaired[] {release, ok, error?}`; `ok` says how it is after a repair; a release that was fetched in part is no failure',
    load: () => import('./verify.ts')
  },
  {
    name: 'pin',
    summary: 'keep a release whatever happens',
    details: 'The release must be complete here. No garbage collection lets go of it until `catalog unpin`.',
    arguments: [{ name: '<spec>', description: SPEC_FORMS }],
    options: [PUBLISHER],
    json: 'the release, as an item of `list`; `kept` is true',
    load: () => import('./pin.ts')
  },
  {
    name: 'unpin',
    summary: 'end a pin',
    arguments: [{ name: '<spec>', description: SPEC_FORMS }],
    options: [PUBLISHER],
    json: 'the release, as an item of `list`; `kept` is false',
    load: () => import('./unpin.ts')
  },
  {
    name: 'remove',
    summary: 'let go of one release',
    details:
      'This node forgets the release, and no longer serves or announces it; nodes that have it keep it, so its version stays taken here, unless it was in `private` alone: other content needs another version. Its bytes are freed by the next garbage collection, unless another release needs them. A pinned release is refused.',
    arguments: [{ name: '<spec>', description: 'name@version, or the CID of a record' }],
    options: [PUBLISHER],
    examples: [{ line: 'catalog remove left-pad@1.2.0', does: 'forgets this version' }],
    json: 'the release as it was, as an item of `list`',
    load: () => import('./remove.ts')
  },
  {
    name: 'gc',
    summary: "free what nothing needs, down to the quota's low-water mark",
    details:
      'Blocks that no release needs go. When the store is still above `store.lowWater` of its quota, releases go that are neither pinned nor published here, the longest unused first. Whatever is being read, served or fetched stays.',
    options: [{ flags: '--dry-run', description: 'say what would go, and change nothing' }],
    examples: [{ line: 'catalog gc --dry-run', does: 'shows what would be freed' }],
    json: '`dryRun`, `bytesBefore`, `bytes`, `freedBytes`, `garbageBytes`, `blocks`, `segments`, `rewritten`, `gaps`, `pinnedBytes`, `ownBytes`, `releases[] {name, content, sizeBytes, reason}`, `tookMs`',
    load: () => import('./gc.ts')
  },
  {
    name: 'why',
    summary: 'explain a release: who holds it, what was dialled, why a fetch failed',
    arguments: [{ name: '<spec>', description: SPEC_FORMS }],
    json: '`spec`, `name`, `releases[]`, `holders[] {peerId, source, ageMs, lastDial?, lastError?}`, `lastFetch?`, `failures[] {version?, code, message, at, ageMs}`, `sourceFailures[] {peerId, …}`, `skipped[] {peerId, reason, forMs}`, `local`, `reasons[]`',
    load: () => import('./why.ts')
  }
]
