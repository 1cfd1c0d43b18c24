/**
 * Networks made of kernel namespaces: hosts, routers with NAT, and the cables between them. Root and the tools `ip` and `nft` are
 * needed; `whyNoNamespaces` says what is not there, so that a test can be skipped with its reason.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { runTool } from '../../run-tool.ts'

/** Why namespaces cannot be used here; undefined when they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  for (const [tool, argument] of [
    ['ip', '-V'],
    ['nft', '-v']
  ] as const)
    if (spawnSync(tool, [argument]).status !== 0) return `no ${tool}`
  const name = `catalog-try-${process.pid}`
  const made = spawnSync('ip', ['netns', 'add', name])
  spawnSync('ip', ['netns', 'del', name])
  return made.status === 0 ? undefined : `no network namespaces: ${made.stderr}`
}

const FOLDER = '/run/netns'
let made = 0

/** It takes a second at most. */
const LINK_UP_MS = 10_000

/** A set of namespaces; `destroy` removes them, with whatever still runs in their network. */
export class Namespaces {
  /** Before the names of all of them. */
  readonly #prefix: string
  #links = 0

  /** With the prefix of namespaces that are there already they are these. */
  constructor(prefix = `cat${process.pid}-${made++}-`) {
    this.#prefix = prefix
  }

  /** What a namespace of that name is called by the system. */
  fullName(name: string): string {
    return this.#prefix + name
  }

  /** Makes a namespace with loopback up; returns its name. */
  add(name: string): string {
    const full = this.fullName(name)
    run('ip', 'netns', 'add', full)
    this.in(full, 'ip link set lo up')
    return full
  }

  /** Runs a command in a namespace; throws what it printed when it fails. */
  in(name: string, command: string): void {
    run('ip', 'netns', 'exec', name, ...command.split(' '))
  }

  /** Joins two namespaces by a cable; an address is written with its prefix length. Returns the names of both ends. */
  link(a: string, addressA: string, b: string, addressB: string): [string, string] {
    const number = this.#links++
    const ends: [string, string] = [`a${number}`, `b${number}`]
    run('ip', 'link', 'add', ends[0], 'netns', a, 'type', 'veth', 'peer', 'name', ends[1], 'netns', b)
    for (const [index, [name, address]] of [[a, addressA] as const, [b, addressB] as const].entries()) {
      this.in(name, `ip address add ${address} dev ${ends[index]}`)
      this.in(name, `ip link set ${ends[index]} up`)
    }
    for (const [index, name] of [a, b].entries()) waitUntilUp(name, ends[index]!)
    return ends
  }

  /** Lets a namespace pass packets on. */
  route(name: string): void {
    this.in(name, 'sysctl -qw net.ipv4.ip_forward=1')
  }

  /** Rules for nftables, in a namespace. */
  filter(name: string, rules: string): void {
    run('ip', 'netns', 'exec', name, 'nft', rules)
  }

  /** Processes in them. */
  pids(): number[] {
    return this.#all().flatMap(name => {
      const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' })
      return stdout.split('\n').filter(Boolean).map(Number)
    })
  }

  destroy(): void {
    for (const name of this.#all()) spawnSync('ip', ['netns', 'del', name])
  }

  #all(): string[] {
    return existsSync(FOLDER) ? readdirSync(FOLDER).filter(name => name.startsWith(this.#prefix)) : []
  }
}

/**
 * A host behind a router with NAT, whose outer side is joined to `internet`. What comes from outside without having been asked for is
 * dropped, as by a router at home.
 */
export function behindNat(
  namespaces: Namespaces,
  name: string,
  internet: string,
  { inside, outside }: { inside: string; outside: string }
): { host: string; router: string } {
  const host = namespaces.add(name)
  const router = namespaces.add(`${name}nat`)
  namespaces.link(host, `${inside}.2/24`, router, `${inside}.1/24`)
  const [outer] = namespaces.link(router, `${outside}.2/24`, internet, `${outside}.1/24`)
  namespaces.in(host, `ip route add default via ${inside}.1`)
  namespaces.in(router, `ip route add default via ${outside}.1`)
  namespaces.route(router)
  namespaces.filter(
    router,
    `add table ip home; \
     add chain ip home out { type nat hook postrouting priority 100 ; }; \
     add rule ip home out oifname ${outer} masquerade; \
     add chain ip home in { type filter hook input priority 0 ; policy drop ; }; \
     add rule ip home in ct state established,related accept; \
     add chain ip home through { type filter hook forward priority 0 ; }; \
     add rule ip home through iifname ${outer} ct state new drop`
  )
  return { host, router }
}

/** The kernel says a little later that a cable carries, and until then a program that lists its addresses does not see this one. */
function waitUntilUp(namespace: string, device: string): void {
  const endMs = performance.now() + LINK_UP_MS
  const isUp = (): boolean =>
    spawnSync('ip', ['-n', namespace, '-o', 'link', 'show', device], { encoding: 'utf8' }).stdout.includes(
      'state UP'
    )
  while (!isUp())
    if (performance.now() > endMs) throw new Error(`${device} did not come up in ${LINK_UP_MS} ms`)
}

const run = (command: string, ...args: string[]): void => runTool(command, args)
