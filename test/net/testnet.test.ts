/** The link of testnet/ itself: what it delays, loses, reorders and cuts is what it was told. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { type Host, LinkedHosts, type LinkSettings, whyNoLink } from '../../testnet/index.ts'

const ECHO = join(import.meta.dirname, 'support', 'echo.child.ts')
const DATAGRAMS = 600
const why = whyNoLink()

let hosts: LinkedHosts | undefined
let server: ChildProcess | undefined
afterEach(async () => {
  server?.kill('SIGKILL')
  await hosts?.remove()
  hosts = undefined
})

function run(host: Host, ...args: string[]): ChildProcess {
  const [command, ...before] = host.command
  return spawn(command!, [...before, process.execPath, ECHO, ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
}

async function linked(settings: Partial<LinkSettings>): Promise<LinkedHosts> {
  hosts = await LinkedHosts.create(settings)
  server = run(hosts.right, 'server', hosts.right.address)
  await once(createInterface({ input: server.stdout! }), 'line')
  return hosts
}

interface Echoes {
  /** Numbers of the datagrams that came back, as they came. */
  order: number[]
  roundTripsMs: number[]
}

async function echo({ left, right }: LinkedHosts, datagrams = DATAGRAMS): Promise<Echoes> {
  return JSON.parse(await text(run(left, 'client', right.address, String(datagrams)).stdout!))
}

const overtaken = ({ order }: Echoes): number => order.filter((number, i) => number < order[i - 1]!).length
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

describe.skipIf(why !== undefined)(`a link between two hosts${why === undefined ? '' : ` (${why})`}`, () => {
  it('delays, and neither loses nor reorders unless told so', async () => {
    const link = await linked({ delayMs: 40 })
    const echoes = await echo(link)
    expect(echoes.order).toHaveLength(DATAGRAMS)
    expect(overtaken(echoes)).toBe(0)
    expect(Math.min(...echoes.roundTripsMs)).toBeGreaterThanOrEqual(80)
    expect(median(echoes.roundTripsMs)).toBeLessThan(120)
  })

  it('loses and reorders as often as told, and changes while it runs', async () => {
    const link = await linked({ delayMs: 5 })
    await link.set({ lossPercent: 10 })
    const lossy = await echo(link)
    // Both ways: 81 % come back; five standard deviations are 8 %.
    expect(lossy.order.length / DATAGRAMS).toBeGreaterThan(0.73)
    expect(lossy.order.length / DATAGRAMS).toBeLessThan(0.89)
    expect(overtaken(lossy)).toBe(0)
    await link.set({ lossPercent: 0, reorderPercent: 5, reorderMs: 20 })
    const shuffled = await echo(link)
    expect(shuffled.order).toHaveLength(DATAGRAMS)
    expect(overtaken(shuffled)).toBeGreaterThan(20)
  })

  it('drops what its queue cannot hold at its rate', async () => {
    // 128 bytes each millisecond are a megabit per second: ten times the rate, so that a slow sender is too fast as well.
    const link = await linked({ rateMbit: 0.1, queueBytes: 4000 })
    const { order } = await echo(link)
    const [there] = await link.counts()
    expect(order.length).toBeLessThan(DATAGRAMS * 0.8)
    expect(there.dropped + there.forwarded).toBeGreaterThanOrEqual(DATAGRAMS)
  })

  it('passes nothing while it is cut, goes on when restored, and at another address', async () => {
    const link = await linked({})
    await link.cut()
    expect((await echo(link, 20)).order).toEqual([])
    await link.restore()
    expect((await echo(link, 20)).order).toHaveLength(20)
    link.left.changeAddress('10.78.0.77')
    expect((await echo(link, 20)).order).toHaveLength(20)
  })

  it('leaves no namespace behind', async () => {
    const link = await linked({})
    const names = [link.left, link.right].map(host => host.command.at(-1)!)
    for (const name of names) expect(existsSync(`/run/netns/${name}`)).toBe(true)
    await link.remove()
    for (const name of names) expect(existsSync(`/run/netns/${name}`)).toBe(false)
  })
})
