import type { Profile } from '../../config/index.ts'
import { assignment } from '../framework/parse.ts'
import type { CommandSpec } from '../framework/tree.ts'

/** Spelled out, so that help does not load the configuration. */
const PROFILES: readonly Profile[] = ['standard', 'local', 'server']

/** Commands about a home and what is in it: they work without a daemon, but for `invite` and the daemon itself. */
export const HOME_COMMANDS: CommandSpec[] = [
  {
    name: 'init',
    summary: 'make a home: node key, publisher key, commented config',
    details:
      'Never overwrites anything. The publisher key is encrypted when CATALOG_PASSPHRASE is set. With --join the node is given the network and the addresses of the node that made the invite.',
    offline: true,
    options: [
      {
        flags: '--join <invite>',
        description: 'join the network of this invite (`catalog invite` prints one)'
      },
      { flags: '--profile <name>', description: 'start from a profile of settings', choices: PROFILES }
    ],
    examples: [
      { line: 'catalog init', does: "makes the home in the platform's data folder" },
      {
        line: 'catalog init --home /srv/catalog --join catalog1:…',
        does: 'makes a home that joins a network'
      }
    ],
    json: '`home`, `peerId`, `publisher`, `config`, `joined` (network id and addresses, with --join)',
    load: () => import('./init.ts')
  },
  {
    name: 'daemon',
    summary: 'run a node in the foreground',
    details:
      'Prints one line when it is ready, `{"event":"ready",…}` with --json. SIGTERM or SIGINT drains and stops it within 10 seconds, a second one at once.',
    options: [
      { flags: '--listen <multiaddr...>', description: 'addresses to listen on' },
      { flags: '--bootstrap <multiaddr...>', description: 'nodes to join the network through' },
      { flags: '--network <id>', description: 'id of the network' },
      { flags: '--no-mdns', description: 'do not look for nodes on the local network' },
      { flags: '--profile <name>', description: 'a profile of settings', choices: PROFILES },
      {
        flags: '--set <key=value>',
        description: 'set any config key; may be given several times',
        parse: assignment,
        repeat: true
      }
    ],
    examples: [
      { line: 'catalog daemon', does: 'runs the node of the default home' },
      {
        line: 'catalog daemon --listen /ip4/127.0.0.1/udp/0/quic-v1 --no-mdns --json',
        does: 'runs on loopback only and prints the ready line as JSON'
      }
    ],
    json: 'ready line: `event: "ready"`, `peerId`, `addresses[]`, `socket`, `version`',
    load: () => import('./daemon.ts')
  },
  {
    name: 'invite',
    summary: 'print a string that lets another node join',
    details:
      'It holds the network id and the addresses of this node. The other side runs `catalog init --join STRING`.',
    json: '`invite`',
    load: () => import('./invite.ts')
  },
  {
    name: 'key',
    summary: 'publisher keys',
    offline: true,
    commands: [
      {
        name: 'list',
        summary: 'the keys of this home',
        offline: true,
        json: '`keys[] {name, publicKey, createdAt, encrypted, default}`',
        load: () => import('./key-list.ts')
      },
      {
        name: 'create',
        summary: 'make a key',
        offline: true,
        arguments: [{ name: '<name>', description: 'name of the key in this home' }],
        options: [
          { flags: '--default', description: 'publish with this key from now on' },
          { flags: '--no-passphrase', description: 'store the key without encryption, and do not ask' }
        ],
        json: '`name`, `publicKey`, `encrypted`, `default`',
        load: () => import('./key-create.ts')
      },
      {
        name: 'import',
        summary: 'add a key from a PKCS#8 PEM file',
        details:
          'CATALOG_PEM_PASSPHRASE opens an encrypted PEM, CATALOG_PASSPHRASE encrypts the key in the keyring.',
        offline: true,
        arguments: [
          { name: '<name>', description: 'name of the key in this home' },
          { name: '<file>', description: 'PEM file, - for standard input', complete: 'file' }
        ],
        options: [
          { flags: '--default', description: 'publish with this key from now on' },
          { flags: '--no-passphrase', description: 'store the key without encryption, and do not ask' }
        ],
        json: '`name`, `publicKey`, `encrypted`, `default`',
        load: () => import('./key-import.ts')
      },
      {
        name: 'export',
        summary: 'print a key as PEM',
        details:
          'The public key, unless --private is given. CATALOG_PEM_PASSPHRASE encrypts the private PEM.',
        offline: true,
        arguments: [{ name: '[name]', description: 'name of the key; the default one when absent' }],
        options: [
          { flags: '--private', description: 'the private key: whoever has it can publish as you' },
          {
            flags: '--out <file>',
            description: 'write a new file (0600) instead of stdout',
            complete: 'file'
          }
        ],
        json: '`name`, `publicKey`, `pem` or `file`',
        load: () => import('./key-export.ts')
      }
    ]
  },
  {
    name: 'config',
    summary: 'what is configured, where it came from, what is wrong with it',
    commands: [
      {
        name: 'show',
        summary: "the daemon's effective configuration and the origin of each value",
        arguments: [{ name: '[prefix]', description: 'only keys that begin with this' }],
        json: '`values[] {key, value, origin, pending?, unit?, description}`, `warnings[]`; `pending` is the value after the next start, when it is another',
        load: () => import('./config-show.ts')
      },
      {
        name: 'validate',
        summary: 'check a configuration file; that of the home together with the CATALOG_* variables',
        offline: true,
        arguments: [{ name: '[file]', description: 'else the config.toml of the home', complete: 'file' }],
        json: '`file`, `ok`, `errors[]`, `warnings[]`',
        load: () => import('./config-validate.ts')
      },
      {
        name: 'set',
        summary: 'change a value of the running daemon and of its file',
        details:
          '`limits.*`, `log.level`, `sync.follow` and `tuning.auto` take effect at once, the others with the next start. A list is given whole, with a comma between two entries; an empty text is the empty list. A value that an environment variable or a flag of the daemon overrides is written and has no effect, and there is a warning. Nothing is written with which the daemon would not start: `store.s3.endpoint` and `store.s3.bucket` come before `store.backend s3`.',
        arguments: [
          { name: '<key>', description: 'key, such as store.quota' },
          { name: '<value>', description: 'value, such as 20GiB; of a list a,b' }
        ],
        examples: [
          {
            line: "catalog config set sync.priority 'tag:security,prefix:@acme/'",
            does: 'sets a list of two entries'
          }
        ],
        json: '`key`, `value` (in force, or from the next start on), `restartNeeded`, `overriddenBy?` (`flag`, `env:NAME`)',
        load: () => import('./config-set.ts')
      },
      {
        name: 'docs',
        summary: 'every key with its meaning, unit, default and rule',
        offline: true,
        json: '`keys[] {key, description, default, unit?, rule}`',
        load: () => import('./config-docs.ts')
      }
    ]
  },
  {
    name: 'doctor',
    summary:
      'check home, keys, disk, limits, clock, listening, peers, reachability, store, libraries and backups; say what to do',
    details:
      'Whether other machines reach this node is what its peers have found so far; it warns when every address is loopback. Without a daemon it checks what can be seen from outside: home, config, permissions, disk, clock, whether the ports are free, and what the store says of itself, 64 blocks of it hashed. --full hashes every block, which takes as long as reading all of it. What is damaged is fetched from other nodes by `catalog verify --all --repair`; nothing is changed here. Exit status 1 where something is wrong.',
    offline: true,
    options: [{ flags: '--full', description: 'hash every block of the store, not a sample' }],
    json: '`ok`, `checks[] {name, ok, level, message, hint?}`',
    load: () => import('./doctor.ts')
  },
  {
    name: 'backup',
    summary: 'write the whole state of the node to one file, while it runs',
    details:
      'Keys, configuration, database and content, all as of one moment, with a version and checksums; the node goes on meanwhile, and nothing is kept from its work. Without a daemon the home is read itself. The file is whole or not there, and never takes the place of another. The keys are in it, as they are in the home: only its mode, 0600, protects it. Not in it are the log, addresses of peers, and segments that are only in a bucket, which are listed. Each backup is a whole one.',
    offline: true,
    arguments: [
      {
        name: '<file>',
        description: 'the file to write, which must not exist, or a folder for one named after the time',
        complete: 'file'
      }
    ],
    options: [
      {
        flags: '--without-keys',
        description: 'leave out node.key and keyring/; they are kept elsewhere, and put back by hand'
      }
    ],
    examples: [
      { line: 'catalog backup /mnt/backups', does: 'writes catalog-2026-01-02T030405Z.backup there' }
    ],
    json: '`file`, `bytes`, `createdAt`, `peerId`, `version`, `homeFormat`, `hasKeys`, `files`, `rows`, `segments`, `segmentBytes`, `awaySegments`, `awayBytes`',
    load: () => import('./backup.ts')
  },
  {
    name: 'restore',
    summary: 'make a home of a file of `backup`, or check the file',
    details:
      'The home must not exist, or be empty: nothing is written over. It is there once all of the file was checked and is on disk, or not at all; after a crash the same command begins anew. The node goes on under its own name in a new epoch, so nobody takes its older state for a lie; see docs/operations.md, "Backup and restore", for what it published after the backup. Let a node run in one place only.',
    offline: true,
    arguments: [{ name: '<file>', description: 'the file', complete: 'file' }],
    options: [{ flags: '--check', description: 'only read all of the file and check it' }],
    examples: [
      {
        line: 'catalog restore catalog-2026-01-02T030405Z.backup --home /srv/catalog',
        does: 'makes the home /srv/catalog'
      }
    ],
    json: '`file`, `bytes`, `home` (without --check), and the fields of `backup`',
    load: () => import('./restore.ts')
  },
  {
    name: 'completion',
    summary: 'shell completion',
    offline: true,
    arguments: [{ name: '<shell>', description: 'the shell', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      { line: 'source <(catalog completion bash)', does: 'completes in this bash' },
      {
        line: 'catalog completion fish > ~/.config/fish/completions/catalog.fish',
        does: 'completes in every fish'
      }
    ],
    json: '`shell`, `script`',
    load: () => import('./completion.ts')
  }
]
