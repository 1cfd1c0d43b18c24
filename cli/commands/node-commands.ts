import type { RoutingStrategy } from '../../config/index.ts'
import { rate, size, timeout } from '../framework/parse.ts'
import type { CommandSpec } from '../framework/tree.ts'

const STRATEGIES: RoutingStrategy[] = [
  'shortest-path',
  'lowest-latency',
  'highest-bandwidth',
  'geographic',
  'load-balanced',
  'fault-tolerant'
]

/** Commands about the running node and its peers. */
export const NODE_COMMANDS: CommandSpec[] = [
  {
    name: 'status',
    summary: 'state, health, peers, library, store, memory',
    details:
      'queues: operations and fetches under way, keys that wait to be announced, peers that failed repeatedly and are left alone for a while.',
    json: '`state`, `health {score, reasons[]}`, `uptimeMs`, `peers`, `reachability {state, relays[]}`, `library {root, revision, releases}` (`root` is that of the home library, null when its tree is damaged), `store {bytes, quotaBytes, chunks, contents, damaged, lastScrub}` (`contents` are here whole), `memory {rssBytes}`, `queues {…}`, `rates {…}`, `limits {up, down}`, `version`',
    load: () => import('./status.ts')
  },
  {
    name: 'id',
    summary: 'peer id, public key and addresses of the node',
    json: '`peerId`, `publicKey`, `addresses[]`',
    load: () => import('./id.ts')
  },
  {
    name: 'peers',
    summary: 'who the node talks to',
    commands: [
      {
        name: 'list',
        summary: 'connected peers',
        json: '`peers[] {peerId, addresses[], direction, rttMs, agent, health, score, limits {up, down, burst, isSet}}`; `agent` is the program that the peer says it is; `health` is from 0 to 1, for reasons that `catalog topology` gives; `score` is 0 to 1, one half for who is new; `limits` are those in force, bytes a second (0 is none) and bytes, `isSet` when they were set with `peers limit`; `limited[] {peerId, limits}`: peers with limits of their own that are not connected; `banned[] {peerId, bannedAt, reason?}`',
        load: () => import('./peers-list.ts')
      },
      {
        name: 'connect',
        summary: 'connect to a peer',
        arguments: [{ name: '<address>', description: 'multiaddr with /p2p/…' }],
        examples: [
          { line: 'catalog peers connect /ip4/192.0.2.7/udp/4747/quic-v1/p2p/12D3…', does: 'dials that node' }
        ],
        json: 'the peer, as in `peers list`',
        load: () => import('./peers-connect.ts')
      },
      {
        name: 'disconnect',
        summary: 'end the connections to a peer',
        arguments: [{ name: '<peer>', description: 'peer id' }],
        json: '`peerId`',
        load: () => import('./peers-disconnect.ts')
      },
      {
        name: 'limit',
        summary: 'limit how fast content goes to a peer and comes from it',
        details:
          'At once, for transfers under way too, and after restarts, whatever the address of the peer. What is not given is as in `limits.*`. 0 is no limit; the least rate is 32KiB/s. For all peers together: `catalog config set limits.up 20MB/s`.',
        arguments: [{ name: '<peer>', description: 'peer id; it need not be connected' }],
        options: [
          { flags: '--rate <rate>', description: 'each way, such as 2MB/s', parse: rate },
          { flags: '--up <rate>', description: 'only what is sent to it', parse: rate },
          { flags: '--down <rate>', description: 'only what is fetched from it', parse: rate },
          { flags: '--burst <size>', description: 'what may go at once before a rate holds', parse: size },
          { flags: '--clear', description: 'let what is configured hold for it again' }
        ],
        examples: [
          { line: 'catalog peers limit 12D3… --rate 2MB/s', does: 'sends it and asks of it 2 MB/s at most' },
          { line: 'catalog peers limit 12D3… --clear', does: 'ends that' }
        ],
        json: '`peerId`, `limits {up, down, burst, isSet}`: those in force now',
        load: () => import('./peers-limit.ts')
      },
      {
        name: 'show',
        summary: 'how a peer stands with this node, and why',
        details:
          'What it gave and took by the measurement of this node, how often it failed or broke the protocols, what receipts of others add, what weight it has where what is sent is limited, whether its key signed two stories, and what keeps it away. docs/operations.md, "Fairness between peers", says how these come about.',
        arguments: [{ name: '<peer>', description: 'peer id; it need not be connected' }],
        json: '`peerId`, `score` (0 to 1), `weight` (1 is a newcomer), `creditBytes`, `ledger {since, sentBytes, receivedBytes, ratio, recent {sentBytes, receivedBytes, transfers, failures, violations}}` (sent is what it took), `receipts {shown, adds}` (signed by others for it; what they add to the score), `network {prefix, peers}` or null, `leftAlone {code, reason}` or null, `deniedForMs`, `contradictions[] {library, epoch, revision, roots[], counts}`, `forfeitedUntil`, `ban`, `reasons[]`, `limits`, `connection` (as in `peers list`, or null)',
        load: () => import('./peers-show.ts')
      },
      {
        name: 'ban',
        summary: 'have nothing to do with a peer any more',
        details:
          'No connection is made to it or taken from it, those that are open are closed, and it is asked for nothing: at once, and after restarts. What others hold of its libraries still comes from them; `block add` keeps that away.',
        arguments: [{ name: '<peer>', description: 'peer id; it need not be connected' }],
        options: [{ flags: '--reason <text>', description: 'a line for you later' }],
        examples: [
          { line: 'catalog peers ban 12D3… --reason "scans the network"', does: 'keeps that node out' }
        ],
        json: '`peerId`, `bannedAt`, `reason?`',
        load: () => import('./peers-ban.ts')
      },
      {
        name: 'unban',
        summary: 'let a banned peer in again',
        arguments: [{ name: '<peer>', description: 'peer id' }],
        json: '`peerId`, `bannedAt`, `reason?`: the ban that ended',
        load: () => import('./peers-unban.ts')
      }
    ]
  },
  {
    name: 'topology',
    summary: 'the network as it is seen from here',
    details:
      'What was measured of each peer since the daemon started: round trip and its 95th percentile, goodput down (from it) and up (to it), what failed, how long it was there; its region, as it told or, in brackets, by its round trip; its health and what takes from that; all in the order in which a strategy asks them. docs/topology.md says how each comes about. `dot` and `svg` are drawings of the same.',
    options: [
      {
        flags: '--format <format>',
        description: 'table unless given; json is what --json prints; dot is for Graphviz',
        choices: ['table', 'json', 'dot', 'svg']
      },
      {
        flags: '--strategy <name>',
        description: 'the order of another strategy than `topology.strategy`',
        choices: STRATEGIES
      }
    ],
    examples: [
      { line: 'catalog topology --format svg > topology.svg', does: 'draws it, for a browser' },
      { line: 'catalog topology --strategy lowest-latency', does: 'shows who would be asked first then' }
    ],
    json: '`self {peerId, region}`, `strategy`, `isInForce`, `regions[] {name, source, peers, connected, roundTripMs}`, `peers[] {peerId, connection, region {name, source}, roundTripMs, p95Ms, lateMs, goodput {down, up}, failureRate, uptime, transfers, health, reasons[] {code, text, weight}, score}`; null is what was not measured; rates in bytes a second',
    load: () => import('./topology.ts')
  },
  {
    name: 'queue',
    summary: 'what waits until somebody can be reached',
    details:
      '`fetch` and `sync` with --later leave here what they could not do because nobody could be asked. It is tried as soon as a peer is connected, later each time, survives restarts, and is let go of when it is done, has failed for good, or has waited for a week; the log says which.',
    commands: [
      {
        name: 'list',
        summary: 'what waits, the oldest first',
        json: '`queue[] {id, kind, request, queuedAt, attempts, lastError?}`',
        load: () => import('./queue-list.ts')
      },
      {
        name: 'remove',
        summary: 'let go of something that waits',
        arguments: [{ name: '<id>', description: 'its id, as `catalog queue list` shows it' }],
        json: '`id`',
        load: () => import('./queue-remove.ts')
      }
    ]
  },
  {
    name: 'pause',
    summary: 'stop background work and serving; the socket stays',
    json: '`state`',
    load: () => import('./pause.ts')
  },
  { name: 'resume', summary: 'end a pause', json: '`state`', load: () => import('./resume.ts') },
  {
    name: 'log',
    summary: "the daemon's log",
    details:
      'With --json --follow each line is one JSON document, as they come. --errors counts what lines of every level tell of, also those that `log.level` keeps out; of the time before the start it knows what the newest file of the log has.',
    options: [
      { flags: '--follow', description: 'go on with new lines until Ctrl-C' },
      {
        flags: '--errors',
        description: 'the distinct errors that it told of, how often, with whom and when, the last one first'
      },
      {
        flags: '--since <duration>',
        description: 'with --errors: only those of the last 1d, 2h …',
        parse: timeout
      },
      {
        flags: '--level <level>',
        description: 'only lines of at least this level',
        choices: ['trace', 'debug', 'info', 'warn', 'error']
      },
      {
        flags: '--set-level <level>',
        description: 'change the level that the daemon logs at, now',
        choices: ['trace', 'debug', 'info', 'warn', 'error']
      }
    ],
    json: '`lines[]`, as the daemon wrote them; with --errors `errors[] {code, part, level, message, peer?, subject?, firstAt, lastAt, times}`',
    load: () => import('./log.ts')
  }
]
