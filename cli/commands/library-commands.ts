import type { ContentPolicy, SyncMode } from '../../config/index.ts'
import type { Access } from '../../sync/index.ts'
import type { ArgumentSpec, CommandSpec } from '../framework/tree.ts'
import { FILTER_OPTIONS } from './filter-options.ts'

/** Spelled out, so that help does not load sync and config. */
const CONTENT: readonly ContentPolicy[] = ['none', 'wanted', 'all']
const MODES: readonly SyncMode[] = ['mirror', 'union']
const ACCESS: readonly Access[] = ['public', 'private', 'restricted', 'friends']
const NAME: ArgumentSpec = { name: '<name>', description: 'name of a library of this node' }
const ADDRESS: ArgumentSpec = {
  name: '<address>',
  description: 'PEERID for the home of a node, PEERID/NAME for another library of it'
}
const GROUP: ArgumentSpec = { name: '<group>', description: 'name of the group' }
const PEERS: ArgumentSpec = { name: '<peer...>', description: 'peer ids, as `catalog id` prints them' }
const OWN =
  '`name`, `library`, `address`, `access`, `group?`, `members?[]` (peer ids), `releases`, `records`, `root`, `head {epoch, revision, expires}`, `isExpired`, `listExpires`'
const GROUP_JSON = '`name`, `members[]` (peer ids), `libraries[]` (names)'

/** Commands about the libraries of this node, and about who may know of them. */
export const LIBRARY_COMMANDS: CommandSpec[] = [
  {
    name: 'library',
    summary: 'libraries of this node, and who may know of them',
    commands: [
      {
        name: 'list',
        summary: 'the libraries of this node, and those of others that it follows',
        details:
          '`home` is what everybody sees, and `private` what nobody else ever sees; both are always there. A node that may know of a library follows it by its address, PEERID/NAME.',
        json: `\`own[] {name, library, address, access, group?, members?[], releases, records, root, head, isExpired, listExpires}\`, \`followed[]\`: items of \`libraries\` of \`sync --status\`, each with \`isAdmitted\` and \`listExpires\``,
        load: () => import('./library-list.ts')
      },
      {
        name: 'show',
        summary: 'one library of this node, and who may know of it',
        arguments: [NAME],
        json: OWN,
        load: () => import('./library-show.ts')
      },
      {
        name: 'create',
        summary: 'make a library beside home',
        details:
          'public: for everybody, as home is. restricted: for the nodes that are named, and for nobody else: others cannot even tell that it is there. private: the same, for other nodes of yours. friends: for the nodes of a group, and for whoever joins it. A library keeps its name and its class.',
        arguments: [
          { name: '<name>', description: 'a-z, 0-9, dot, dash and underscore, 64 characters at most' }
        ],
        options: [
          { flags: '--access <class>', description: 'whom it is for; has to be given', choices: ACCESS },
          { flags: '--group <group>', description: 'of friends: the group that it is for' },
          {
            flags: '--member <peer>',
            description: 'of private and restricted: peer id of a node; may be given several times',
            repeat: true
          }
        ],
        examples: [
          {
            line: 'catalog library create team --access restricted --member 12D3…',
            does: 'makes a library for one other node'
          },
          {
            line: 'catalog library create club --access friends --group friends',
            does: 'makes one for the nodes of a group'
          }
        ],
        json: OWN,
        load: () => import('./library-create.ts')
      },
      {
        name: 'grant',
        summary: 'let nodes know of a private or restricted library',
        details: 'They follow it with `catalog library follow`, or once with `catalog sync`.',
        arguments: [NAME, PEERS],
        examples: [{ line: 'catalog library grant team 12D3…', does: 'puts this node on the list' }],
        json: OWN,
        load: () => import('./library-grant.ts')
      },
      {
        name: 'revoke',
        summary: 'take nodes off the list of a private or restricted library',
        details:
          'This node shows them nothing of it any more, at once; other nodes that follow it do the same when they hear of the new list, or when the list that they have is four days old. What a node has fetched stays with it.',
        arguments: [NAME, PEERS],
        json: OWN,
        load: () => import('./library-revoke.ts')
      },
      {
        name: 'delete',
        summary: 'delete a library of this node',
        details:
          'Nobody is shown it any more, at once; what other nodes have of it stays with them. Releases of a public library that a name leads to stay known, as if they had been fetched, and are announced no more; of a closed one nothing stays that no other library here has, so one with a pinned release that is in no other is not deleted. A library that is made under the same name later is for everybody, or closed, as this one was. `home` and `private` are always there.',
        arguments: [NAME],
        options: [{ flags: '--yes', description: 'do it; without it the command says what would go' }],
        json: '`name`, `address`, `releases`',
        load: () => import('./library-delete.ts')
      },
      {
        name: 'follow',
        summary: 'follow a library of another node from now on',
        details:
          'Its records come at once, from the node itself or from another that has the library, and again whenever it changes. It is written to `sync.follow` of the configuration, so it holds after restarts. With --type, --tag, --category, --prefix or --publisher content comes, and joins home in mode union, only of the releases for which all that are given hold; the copy of the library is whole all the same. Of a library that is followed already what is given changes and the rest stays: --content, --mode, and the filters, which are one: those that are given take the place of all before. What fits from then on comes at once; what has come, or joined, stays.',
        arguments: [ADDRESS],
        options: [
          {
            flags: '--content <policy>',
            description:
              'which content comes by itself: of all releases, or of packages of which some version is whole here; none unless given',
            choices: CONTENT
          },
          {
            flags: '--mode <mode>',
            description: 'union: its releases join the home library too, and stay; mirror unless given',
            choices: MODES
          },
          ...FILTER_OPTIONS,
          { flags: '--everything', description: 'no filter any more: all releases are meant' }
        ],
        examples: [
          { line: 'catalog library follow 12D3…', does: 'follows the home of that node' },
          {
            line: 'catalog library follow 12D3…/team --content all',
            does: 'follows another library of it, with all content'
          },
          {
            line: 'catalog library follow 12D3… --mode union --tag security',
            does: 'has the releases with that keyword join the home of this node, now and later'
          }
        ],
        json: '`writer`, `name`, `address`, `content`, `mode`, `type?`, `tag?`, `category?`, `prefix?`, `publisher?`, `state` (waiting|running|failing), `nextAt?` (absent while it is compared), `error?`',
        load: () => import('./library-follow.ts')
      },
      {
        name: 'unfollow',
        summary: 'follow a library of another node no more, and let go of the copy',
        details:
          'What is under way for it ends, and it leaves `sync.follow` of the configuration. As after `catalog sync ADDRESS --forget`, releases of a public library that a name leads to stay known; of a closed library nothing stays that no other library here has. What joined the home library stays there.',
        arguments: [ADDRESS],
        json: '`writer`, `name`, `address`, `hadCopy`',
        load: () => import('./library-unfollow.ts')
      }
    ]
  },
  {
    name: 'group',
    summary: 'groups of nodes that libraries are made for',
    commands: [
      {
        name: 'list',
        summary: 'the groups, who is in them, and which libraries are for them',
        json: `\`groups[] {name, members[], libraries[]}\``,
        load: () => import('./group-list.ts')
      },
      {
        name: 'add',
        summary: 'put nodes into a group: they may know of all its libraries',
        details: 'A group is there while somebody is in it.',
        arguments: [GROUP, PEERS],
        examples: [{ line: 'catalog group add friends 12D3…', does: 'puts this node into the group' }],
        json: GROUP_JSON,
        load: () => import('./group-add.ts')
      },
      {
        name: 'remove',
        summary: 'take nodes out of a group, and off the lists of all its libraries',
        details: 'As with `catalog library revoke`, what they have fetched stays with them.',
        arguments: [GROUP, PEERS],
        json: GROUP_JSON,
        load: () => import('./group-remove.ts')
      }
    ]
  }
]
