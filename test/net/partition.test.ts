/**
 * Two sides of a network that do not reach each other for a while: both notice, both go on working, and when the way is back everything is equal
 * within seconds, without anybody's doing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Namespaces } from '../../testnet/drivers/netns/namespaces.ts'
import { at, cliOk, runCli } from '../daemon/support/cli.ts'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { missing } from './missing.ts'

const LISTEN = '/ip4/0.0.0.0/udp/4747/quic-v1'
const SIDES = { left: ['left1', 'left2', 'left3'], right: ['right1', 'right2'] } as const
/** Twice what is promised, on a machine that may do other things. */
const NOTICE_MS = 30_000
const HEAL_MS = 15_000

let net: TestNet
let namespaces: Namespaces
let router: string
const daemons = new Map<string, TestDaemon>()
const daemon = (name: string): TestDaemon => daemons.get(name)!

/** Each daemon in a namespace of its own, the sides in networks of their own, all behind one router. */
async function startAll(): Promise<void> {
  const addresses: string[] = []
  for (const [side, names] of Object.entries(SIDES))
    for (const [index, name] of names.entries()) {
      const cable = `10.${side === 'left' ? 1 : 2}.${index}`
      const host = namespaces.add(name)
      namespaces.link(host, `${cable}.2/24`, router, `${cable}.1/24`)
      namespaces.in(host, `ip route add default via ${cable}.1`)
      const set = { 'network.listen': LISTEN, 'network.bootstrap': addresses.join(',') }
      const started = await net.start(name, {
        netns: host,
        set: addresses.length > 0 ? set : { 'network.listen': LISTEN }
      })
      addresses.push(started.addresses.find(address => address.startsWith(`/ip4/${cable}.2/`))!)
      daemons.set(name, started)
    }
}

function cut(): void {
  namespaces.filter(
    router,
    'add table ip wall; \
     add chain ip wall through { type filter hook forward priority 0 ; }; \
     add rule ip wall through ip saddr 10.1.0.0/16 ip daddr 10.2.0.0/16 drop; \
     add rule ip wall through ip saddr 10.2.0.0/16 ip daddr 10.1.0.0/16 drop'
  )
}

// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
const partitionAt = async (name: string): Promise<any> =>
  (await daemon(name).ok('GET', '/v1/status')).partition

/** Milliseconds until it is so at all of them. */
async function untilAll(
  names: readonly string[],
  isSo: (name: string) => Promise<boolean>,
  limitMs: number
): Promise<number> {
  const startMs = performance.now()
  await Promise.all(names.map(name => eventually(() => isSo(name), limitMs)))
  return Math.round(performance.now() - startMs)
}

/** Root of a copy, or of a node's own home. */
async function rootOf(name: string, writer: string): Promise<string | undefined> {
  if (name === writer) return (await daemon(name).ok('GET', '/v1/status')).library.root
  const { libraries } = (await at(daemon(name), 'sync', '--status')) as {
    libraries: Array<{ writer: string; root: string }>
  }
  return libraries.find(library => library.writer === daemon(writer).peerId)?.root
}

const isEqual = async (name: string, writer: string): Promise<boolean> =>
  (await rootOf(name, writer)) === (await rootOf(writer, writer))

const publish = (name: string, release: string): Promise<unknown> =>
  daemon(name).publish({
    name: release,
    version: '1.0.0',
    files: { 'file.txt': `${release} of ${name}` },
    wait: 1
  })

const ALL = [...SIDES.left, ...SIDES.right]
const FOLLOWS = [
  ['right1', 'left1'],
  ['left2', 'right1']
] as const

describe.skipIf(missing !== undefined)(`a network in two parts (${missing ?? 'with namespaces'})`, () => {
  beforeAll(async () => {
    net = await TestNet.create()
    namespaces = new Namespaces()
    router = namespaces.add('router')
    namespaces.route(router)
    await startAll()
  }, 90_000)
  afterAll(async () => {
    await net?.destroy()
    namespaces?.destroy()
  })

  it('is noticed on both sides, worked in, and healed', { timeout: 150_000 }, async () => {
    const isMeshed = async (name: string): Promise<boolean> =>
      (await daemon(name).ok('GET', '/v1/status')).peers === ALL.length - 1
    await untilAll(ALL, isMeshed, 30_000)
    await publish('left1', 'before')
    await publish('right1', 'there-before')
    for (const [name, writer] of FOLLOWS) await at(daemon(name), 'library', 'follow', daemon(writer).peerId)
    for (const [name, writer] of FOLLOWS) await eventually(() => isEqual(name, writer))

    cut()
    const isParted = async (name: string): Promise<boolean> =>
      (await partitionAt(name)).state === 'partitioned'
    const noticedMs = await untilAll(ALL, isParted, NOTICE_MS)
    expect(await partitionAt('left1')).toMatchObject({ lost: 2, of: 4, isCutOff: false })
    expect(await partitionAt('right1')).toMatchObject({ lost: 3, of: 4, isCutOff: false })

    // Each side works by itself.
    await publish('left1', 'meanwhile')
    await publish('right1', 'there-meanwhile')
    await cliOk(['fetch', 'meanwhile'], { home: daemon('left3').home.root })
    await cliOk(['fetch', 'there-meanwhile'], { home: daemon('right2').home.root })
    const { root: home } = daemon('right2').home
    const { code, stdout } = await runCli(['fetch', 'meanwhile', '--json'], { home })
    expect({ code, ...JSON.parse(stdout).error }).toMatchObject({
      code: 'NO_PROVIDERS',
      hint: expect.stringMatching(/partitioned .*--later/)
    })
    const later = (await at(daemon('right2'), 'fetch', 'meanwhile', '--later')) as {
      queued: { kind: string }
    }
    expect(later.queued.kind).toBe('fetch')

    namespaces.filter(router, 'delete table ip wall')
    const isWhole = async (name: string): Promise<boolean> =>
      (await partitionAt(name)).last !== null && (await partitionAt(name)).state === 'whole'
    const [healedMs] = await Promise.all([
      untilAll(ALL, isWhole, HEAL_MS),
      ...FOLLOWS.map(([name, writer]) => eventually(() => isEqual(name, writer), HEAL_MS))
    ])
    const isDone = async (): Promise<boolean> =>
      ((await at(daemon('right2'), 'queue', 'list')) as { queue: unknown[] }).queue.length === 0
    await eventually(isDone, HEAL_MS)
    console.log(
      `noticed by all after ${noticedMs} ms, whole and equal after ${healedMs} ms`,
      await partitionAt('right2')
    )
    expect((await partitionAt('right2')).last).toMatchObject({ kind: 'partitioned', lostPeers: 3 })
    expect((await partitionAt('right1')).last).toMatchObject({ syncedLibraries: 1 })
    const status = await runCli(['status'], { home })
    expect(status.stdout).toMatch(
      /whole; partitioned from .* noticed after .*\n.*healed in .* of 3 peers back/
    )
    // What was published meanwhile is found from the other side.
    await cliOk(['fetch', 'there-meanwhile'], { home: daemon('left3').home.root })
  })
})
