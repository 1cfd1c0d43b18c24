import type { ConflictStrategy } from '../../config/index.ts'
import { assignment, wholeNumber } from '../framework/parse.ts'
import type { CommandSpec, OptionSpec } from '../framework/tree.ts'

/** Spelled out, so that help does not load the configuration's schema. */
const STRATEGIES: readonly ConflictStrategy[] = [
  'newest-wins',
  'consensus-wins',
  'merge',
  'keep-both',
  'manual'
]
const EXACT = { name: '<spec>', description: 'name@version, or the CID of a record' }
const KEY: OptionSpec = { flags: '--key <name>', description: 'key to sign with; else the default one' }
const STATUS_OPTIONS: OptionSpec[] = [
  { flags: '--reason <text>', description: 'one line that says why' },
  {
    flags: '--replacement <spec>',
    description: 'what to use instead: a name, with or without @range'
  },
  KEY
]
const ITEM = 'the release, as an item of `list`'

/** Commands with which an owner, or anybody, says something of a release. */
export const RELEASE_COMMANDS: CommandSpec[] = [
  {
    name: 'yank',
    summary: 'tell everybody not to choose a version any more',
    details:
      'Signed by the publisher of the release. Its content stays where it is: who names the version exactly or has it locked still gets it, with a warning. It is told to whoever looks the name up.',
    arguments: [EXACT],
    options: STATUS_OPTIONS,
    examples: [
      {
        line: "catalog yank left-pad@1.2.0 --reason 'leaks the key' --replacement left-pad@^1.2.1",
        does: 'yanks this version'
      }
    ],
    json: ITEM,
    load: () => import('./yank.ts')
  },
  {
    name: 'unyank',
    summary: 'end a yank, a deprecation or an archival',
    arguments: [EXACT],
    options: STATUS_OPTIONS,
    json: ITEM,
    load: () => import('./unyank.ts')
  },
  {
    name: 'deprecate',
    summary: 'advise against a version',
    details: 'It is still chosen, and who installs it is warned.',
    arguments: [EXACT],
    options: STATUS_OPTIONS,
    json: ITEM,
    load: () => import('./deprecate.ts')
  },
  {
    name: 'archive',
    summary: 'say that a version is kept and no longer looked after',
    details: 'It is still chosen, and who installs it is warned.',
    arguments: [EXACT],
    options: STATUS_OPTIONS,
    json: ITEM,
    load: () => import('./archive.ts')
  },
  {
    name: 'describe',
    summary: 'give a published release new words',
    details:
      'Signs a newer record for the same content, which takes the place of the one before: the id of the record changes, the content does not. Each option replaces what stood there; an empty value takes it away.',
    arguments: [EXACT],
    options: [
      { flags: '--description <text>', description: 'what it is' },
      { flags: '--tag <keyword>', description: 'a keyword; may be given several times', repeat: true },
      { flags: '--category <word>', description: 'a category; may be given several times', repeat: true },
      { flags: '--licence <spdx>', description: 'SPDX expression' },
      { flags: '--author <text>', description: 'an author; may be given several times', repeat: true },
      {
        flags: '--link <key=url>',
        description: 'a link; may be given several times',
        parse: assignment,
        repeat: true
      },
      KEY
    ],
    examples: [
      {
        line: "catalog describe left-pad@1.2.0 --description 'Pads on the left' --tag text --tag pad",
        does: 'replaces description and keywords'
      }
    ],
    json: `${ITEM}, with the new id`,
    load: () => import('./describe.ts')
  },
  {
    name: 'conflicts',
    summary: 'names that several owners claim',
    details:
      'Anybody may sign a release of any name. Whose name it is, is decided on each node: by the pin that the first install makes, else by the strategy of `conflicts.strategy`, of a scope, or of a name.',
    commands: [
      {
        name: 'list',
        summary: 'names that several owners publish, or of which one contradicts itself',
        details:
          'Of what this node knows; a name that was asked for and found contested is kept here. open: somebody has to decide.',
        options: [
          {
            flags: '--limit <n>',
            description: 'at most this many (default 100)',
            parse: wholeNumber(1, 1000)
          },
          { flags: '--after <name>', description: 'go on where a page ended: its `next`' }
        ],
        json: '`conflicts[] {name, outcome, equivocated, strategy, origin, subject?, pinned, owners, versions[]}`, `next?`; `outcome` is open, kept, merged, settled, pinned, foreign or sole',
        load: () => import('./conflicts-list.ts')
      },
      {
        name: 'show',
        summary: 'who claims a name, and with what evidence',
        arguments: [{ name: '<name>', description: 'package name' }],
        options: [{ flags: '--local', description: 'ask no other node' }],
        json: 'an item of `conflicts list`, and `claimants[] {publisher, pinned, weight, claims[] {version, id, content, sizeBytes, publishedAt, sequence, status, reason?, replacement?, counts, equivocated, attestations[] {signer, statement, weight}}}`',
        load: () => import('./conflicts-show.ts')
      },
      {
        name: 'resolve',
        summary: 'decide whose a name is, or how conflicts are looked at',
        details:
          'Kept on this node. --owner pins the name, as an install does, and replaces a pin. --strategy holds for this name, or for all names of a @scope, while none is pinned: newest-wins and consensus-wins choose an owner; merge, keep-both and manual choose nobody.',
        arguments: [{ name: '<name>', description: 'package name, or a @scope with --strategy' }],
        options: [
          { flags: '--owner <key>', description: 'the publisher that is meant: a public key, z6Mk…' },
          {
            flags: '--strategy <name>',
            description: 'how conflicts are looked at',
            choices: STRATEGIES
          },
          { flags: '--clear', description: 'let the configured strategy hold again' }
        ],
        examples: [
          {
            line: 'catalog conflicts resolve left-pad --owner z6Mk…',
            does: 'pins the name to this publisher'
          },
          {
            line: 'catalog conflicts resolve @acme --strategy consensus-wins',
            does: 'lets attestations decide in this scope'
          }
        ],
        json: '`name`, `strategy`, `origin` (node or config), `subject?`, `pinned`',
        load: () => import('./conflicts-resolve.ts')
      }
    ]
  },
  {
    name: 'trust',
    summary: 'who is believed',
    commands: [
      {
        name: 'attest',
        summary: 'say that something holds of a release',
        details:
          'Anybody may say so of any release that is here. It counts where an operator gives the key a weight (`conflicts.attestors`).',
        arguments: [EXACT],
        options: [
          {
            flags: '--statement <word>',
            description: 'such as approved, built or tested (default approved)'
          },
          { flags: '--withdraw', description: 'no longer stand by it' },
          { flags: '--publisher <key>', description: 'whose name is meant: a public key, z6Mk…' },
          KEY
        ],
        examples: [
          { line: 'catalog trust attest left-pad@1.2.0 --statement tested', does: 'says that it was tested' }
        ],
        json: `${ITEM}, and \`statement\`, \`holds\`, \`signer\``,
        load: () => import('./attest.ts')
      }
    ]
  }
]
