import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composeFile } from '../../../testnet/drivers/compose/compose-file.ts'
import { ipOf, type Made } from '../../../testnet/drivers/compose/made.ts'
import { filterRules, queueCommands, type Way } from '../../../testnet/drivers/compose/traffic.ts'
import { daemonArguments } from '../../../testnet/drivers/daemon-arguments.ts'
import { type LinkSettings, PLAIN_LINK } from '../../../testnet/links/settings.ts'
import type { NetworkPlan, NodePlan } from '../../../testnet/network/index.ts'

const way = (settings: Partial<LinkSettings>, isCut = false, addresses = ['10.1.2.3']): Way => ({
  addresses,
  settings: { ...PLAIN_LINK, ...settings },
  isCut
})
/** The rules of one chain. */
const chain = (rules: string, name: string): string[] => {
  const lines = rules.split('\n')
  const from = lines.findIndex(line => line.startsWith(`chain ${name}`)) + 1
  return lines.slice(from, lines.indexOf('}', from))
}

describe('links between containers', () => {
  it('that are as they should be have neither rules nor queues', () => {
    const rules = filterRules([way({}), way({})])
    expect(chain(rules, 'incoming')).toEqual([])
    expect(chain(rules, 'outgoing')).toEqual([])
    expect(queueCommands([way({})])).toBe('')
  })

  it('lose what comes in, so that no sender is told', () => {
    const rules = filterRules([
      way({ lossPercent: 2.5 }, false, ['10.1.2.3', '10.1.2.4']),
      way({ lossPercent: 50 }, true, ['10.1.2.5'])
    ])
    expect(chain(rules, 'incoming')).toEqual([
      'ip saddr { 10.1.2.3, 10.1.2.4 } numgen random mod 1000000 < 25000 drop',
      'ip saddr { 10.1.2.5 } drop'
    ])
    expect(chain(rules, 'outgoing')).toEqual([])
  })

  it('are slow in a class of their own, which the rules name', () => {
    const ways = [way({}), way({ rateMbit: 20 }, false, ['10.1.2.4'])]
    expect(chain(filterRules(ways), 'outgoing')).toEqual(['ip daddr { 10.1.2.4 } meta priority set 1:3'])
    expect(queueCommands(ways).split('\n')).toEqual([
      'qdisc add dev eth0 root handle 1: htb',
      'class add dev eth0 parent 1: classid 1:3 htb rate 20000kbit ceil 20000kbit burst 65536 cburst 65536 quantum 1514',
      'qdisc add dev eth0 parent 1:3 bfifo limit 65536',
      ''
    ])
  })

  it('hold in their queue what is on its way, and with a delay are netem', () => {
    expect(queueCommands([way({ rateMbit: 100, queueBytes: 1000 })])).toContain('bfifo limit 1000\n')
    expect(queueCommands([way({ delayMs: 40 })])).toMatch(/1:2 netem limit \d+ delay 40ms\n/)
  })

  it('name each class that there is, and no other', () => {
    const settings = fc.record({
      delayMs: fc.constantFrom(0, 10),
      rateMbit: fc.constantFrom(0, 1.5, 1000),
      lossPercent: fc.constantFrom(0, 1)
    })
    fc.assert(
      fc.property(fc.array(settings, { maxLength: 20 }), all => {
        const ways = all.map(one => way(one))
        const named = chain(filterRules(ways), 'outgoing').map(rule => rule.split(' ').at(-1))
        const made = [...queueCommands(ways).matchAll(/classid (\S+)/g)].map(match => match[1])
        expect(named).toEqual(made)
        expect(new Set(made).size).toBe(made.length)
      })
    )
  })
})

describe('a file for Compose', () => {
  const node = (name: string, rest: Partial<NodePlan> = {}): NodePlan => ({
    name,
    role: 'consumer',
    region: 'eu',
    after: [],
    follows: [],
    settings: {},
    limits: {},
    ...rest
  })
  const plan: NetworkPlan = {
    topology: 'mesh',
    delaysMs: {},
    nodes: [node('seed1'), node('consumer1', { after: ['seed1'], limits: { memoryBytes: 1e8, cpus: 0.5 } })]
  }
  const made: Made = {
    project: 'p',
    subnet: '10.9.8',
    links: {},
    nodes: { seed1: { peerId: 'A', image: 'old' }, consumer1: { peerId: 'B', image: 'new' } }
  }
  const { services, networks } = composeFile(plan, made, {
    folder: '/net',
    argumentsOf: () => ['--set', 'a=$b']
  }) as { services: Record<string, Record<string, unknown>>; networks: unknown }

  it('gives each node its home, its address and its image', () => {
    expect(services.seed1).toMatchObject({ image: 'old', container_name: 'p-seed1' })
    expect(services.consumer1).toMatchObject({
      image: 'new',
      networks: { testnet: { ipv4_address: '10.9.8.3' } },
      volumes: expect.arrayContaining(['/net/nodes/consumer1/disk/home:/var/lib/catalog'])
    })
    expect(networks).toEqual({ testnet: { ipam: { config: [{ subnet: '10.9.8.0/24' }] } } })
  })

  it('has all else from what nodes have in common, but for limits of their own', () => {
    const common = join(resolve(import.meta.dirname, '../../..'), 'testnet/containers/node.yml')
    expect(services.seed1!.extends).toEqual({ file: common, service: 'node' })
    expect(services.seed1).not.toHaveProperty('mem_limit')
    expect(services.consumer1).toMatchObject({ mem_limit: 1e8, cpus: 0.5 })
  })

  it('says twice what Compose would replace', () => {
    expect(services.seed1!.command).toEqual(['catalog-start', '--set', 'a=$$b'])
  })

  it('tells a daemon whom to join and to follow', () => {
    const others = { seed1: { peerId: 'A', address: '/ip4/10.9.8.2/udp/4747/quic-v1/p2p/A' } }
    const told = daemonArguments(
      node('x', { after: ['seed1'], follows: ['seed1'], settings: { 'topology.region': 'us' } }),
      name => others[name as 'seed1']
    )
    expect(told).toContain('network.bootstrap=/ip4/10.9.8.2/udp/4747/quic-v1/p2p/A')
    expect(told).toContain('sync.follow=A')
    expect(told).toContain('topology.region=us')
    expect(ipOf(plan, made, 'seed1')).toBe('10.9.8.2')
  })
})
