import { wholeNumber } from '../framework/parse.ts'
import type { ArgumentSpec, CommandSpec, OptionSpec } from '../framework/tree.ts'

const CONTENT: ArgumentSpec = {
  name: '<cid>',
  description: 'CID of a content, as `catalog content list` shows it'
}

const SUBJECT: ArgumentSpec = {
  name: '<what>',
  description: 'public key of an owner, NAME, NAME@RANGE, or the CID of a record or content'
}

/** The longest page that the admin API gives. */
const MAX_PAGE = 1000

/** The options of a list that comes in pages. */
export const PAGES: OptionSpec[] = [
  {
    flags: '--limit <n>',
    description: 'at most this many (default 100, 1000 at most)',
    parse: wholeNumber(1, MAX_PAGE)
  },
  { flags: '--after <cursor>', description: 'go on where a page ended: its `next`' },
  { flags: '--all', description: 'all pages' }
]

/** Commands about what the store holds, whatever it is called. */
export const STORE_COMMANDS: CommandSpec[] = [
  {
    name: 'block',
    summary: 'what is kept away from this node, whoever publishes, mirrors or pins it',
    details:
      'What is blocked is not fetched, installed, published, imported or joined on this node, no range means it, and no peer is told of it or given it, also after restarts and whatever libraries that are followed bring. Records of such libraries stay in their copies, which are exact; `versions` and `conflicts` still show them. `fetch` and `install` say RELEASE_BLOCKED with the reason.',
    commands: [
      {
        name: 'add',
        summary: 'block an owner, a name or a content, and let go of what is here of it',
        details:
          'Its contents go from the store, pinned or not, and its records from the libraries of this node. A content that other releases name, which are not blocked, stays. What was published here has no other copy, perhaps: --dry-run says what would go.',
        arguments: [SUBJECT],
        options: [
          { flags: '--reason <text>', description: 'a line for who is refused it, and for you later' },
          { flags: '--dry-run', description: 'say what would go, and change nothing' }
        ],
        examples: [
          {
            line: 'catalog block add left-pad@1.2.x --reason "malware, see the advisory"',
            does: 'blocks versions of a package, whoever publishes them'
          },
          { line: 'catalog block add z6Mk…', does: 'blocks everything of an owner' }
        ],
        json: '`subject`, `reason?`, `blockedAt?`, `isDryRun`, `dropped {releases, contents, sizeBytes}`',
        load: () => import('./block-add.ts')
      },
      {
        name: 'list',
        summary: 'what is blocked, and why',
        json: '`blocks[] {subject, reason?, blockedAt}`',
        load: () => import('./block-list.ts')
      },
      {
        name: 'remove',
        summary: 'let something in again that was blocked',
        arguments: [SUBJECT],
        json: '`subject`, `reason?`, `blockedAt`',
        load: () => import('./block-remove.ts')
      }
    ]
  },
  {
    name: 'bundle',
    summary: 'releases of a library as one file, for where no network reaches',
    commands: [
      {
        name: 'create',
        summary: 'write releases of the library, with proofs and contents, to a file',
        details:
          'Every version that a SPEC names goes in, with what is said of it; without one, everything in the library. In the file are the signed head of the library, each record with a proof that it is in that library, and the contents that are whole here. So it can be checked wherever it comes from, with nothing but itself. At most 131,072 records.',
        arguments: [
          { name: '<file>', description: 'the file to write; it must not exist', complete: 'file' },
          { name: '[spec...]', description: 'name, name@range, @scope/name@1.2.3, or the CID of a record' }
        ],
        options: [
          {
            flags: '--library <address>',
            description:
              'NAME of a public library of this node, or PEERID[/NAME] of one that is followed here; else home'
          }
        ],
        examples: [
          {
            line: 'catalog bundle create tools.bundle tool@^2 other-tool',
            does: 'writes all versions of other-tool and those of tool in that range'
          }
        ],
        json: '`file`, `bytes`, `library`, `head {epoch, revision, time, expires}`, `records`, `contents`',
        load: () => import('./bundle-create.ts')
      },
      {
        name: 'import',
        summary: 'take in what a file of `bundle create` holds, everything verified',
        details:
          'Afterwards its releases are here as if they had been fetched: `list`, `info` and `install` find them. Each part is checked by itself and stays when a later one is wrong; a content counts only when it is whole. What is here already is passed over, so an import that was cut off is run again. Of a whole library, made without a SPEC, a copy is here then, as if it had been followed, unless a newer one is: `catalog sync --status` shows it, `catalog sync PEER --library ADDRESS` goes on from there, and it holds its records until `catalog sync ADDRESS --forget` lets go of it.',
        arguments: [{ name: '<file>', description: 'the file', complete: 'file' }],
        json: '`library`, `writer`, `address`, `head {epoch, revision, time, expires}`, `isExpired`, `isOlder`, `copy` (made, part, older, own, too-large, busy), `records`, `newRecords`, `refusedRecords`, `contents`, `newContents`',
        load: () => import('./bundle-import.ts')
      },
      {
        name: 'verify',
        summary: 'check all of a file of `bundle create`, with nothing but itself',
        details:
          'Checks the form and checksum of the file, the signed head of the library, the signature of each record and its proof that it is in the library, the hash of each block, and that each content is whole, with nothing from outside the file. Needs neither a daemon nor a home, and, while it runs, as much room in the folder for temporary files as the file has bytes. A head that no longer holds is a warning. Exit status 5 where something is wrong.',
        arguments: [{ name: '<file>', description: 'the file', complete: 'file' }],
        offline: true,
        json: '`file`, `bytes`, `library`, `writer`, `address`, `head {epoch, revision, time, expires}`, `isExpired`, `isWhole`, `records`, `contents`',
        load: () => import('./bundle-verify.ts')
      }
    ]
  },
  {
    name: 'content',
    summary: 'what the store holds',
    commands: [
      {
        name: 'list',
        summary: 'each content that is held: size, state, why it is kept, and what names it',
        details:
          'complete: all of it is here. damaged: it was, and a block is missing; `catalog verify --all --repair` mends it. partial: its fetch has not ended. Kept are contents that are pinned, those published here (own), and those held for others (mirrored); the others go when room is needed, the longest unused first.',
        options: PAGES,
        json: '`contents[] {content, state, sizeBytes?, files?, usedAt, releases[], pins[], isOwn, isMirrored}`, `next?`',
        load: () => import('./content-list.ts')
      },
      {
        name: 'remove',
        summary: 'let go of one content, and keep what is known of the releases that name it',
        details:
          'Its bytes are freed by the next garbage collection, unless another content needs them; `catalog fetch` brings it back from other nodes. One that is pinned, or is being read, is refused. `catalog remove` forgets a release.',
        arguments: [CONTENT],
        json: '`content`',
        load: () => import('./content-remove.ts')
      },
      {
        name: 'copy',
        summary: 'copy everything that is whole here to another home on this machine',
        details:
          'For a larger disk, for a home that keeps its segments in a bucket, or no longer does. Each release goes with what is said of it and its pin; what was published here counts as published there. Every block is verified here and there. What is there already is not copied again: after an interruption, or when there is more, run it again. The quota of the other home holds. It is made with `catalog init` before, and no daemon may run on it; this node goes on meanwhile. Keys, settings and pinned owners are not copied.',
        options: [{ flags: '--to <dir>', description: 'the other home', complete: 'directory' }],
        examples: [
          {
            line: 'catalog init --home /mnt/new && catalog content copy --to /mnt/new',
            does: 'makes a home on another disk and copies everything to it'
          }
        ],
        json: '`to`, `ok`, `releases`, `copiedBytes`, `reusedBytes`, `failed`, `notCopied[] {release, error}` (the first 1000), `tookMs`',
        load: () => import('./content-copy.ts')
      }
    ]
  }
]
