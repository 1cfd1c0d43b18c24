/** What carries a soak out and looks at it: faults that fail, who is under one, what is read of metrics, and which copies differ. */
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { ActiveFaults } from '../../../testnet/faults/active-faults.ts'
import { sampleOf } from '../../../testnet/soak/exposition.ts'
import { FaultRun } from '../../../testnet/soak/fault-run.ts'
import { differences, type LibrariesSaid } from '../../../testnet/soak/libraries.ts'
import { Outcomes } from '../../../testnet/soak/outcomes.ts'
import { fakeNetwork } from './fake-network.ts'

describe('a run of faults', () => {
  const kill = { atMs: 0, forMs: 5, fault: { kind: 'kill', node: 'mirror1' } } as const
  const pause = { atMs: 0, forMs: 5, fault: { kind: 'pause', node: 'mirror2' } } as const

  function start() {
    const network = fakeNetwork()
    const faults = new ActiveFaults({ network, clock: systemClock })
    return { network, faults, run: new FaultRun({ faults, clock: systemClock }) }
  }

  it('knows whose process is gone, and whose event loop was held up, also a while later', async () => {
    const { network, run } = start()
    const during = run.run([{ ...kill, forMs: 50 }, pause], AbortSignal.timeout(10_000))
    await expect.poll(() => network.done).toContain('kill mirror1')
    expect([run.isDown('mirror1'), run.isDown('mirror2')]).toEqual([true, false])
    await during
    expect([run.isDown('mirror1'), run.endsOf('mirror1'), run.endsOf('mirror2')]).toEqual([false, 1, 0])
    expect([run.isSlowed('mirror1'), run.isSlowed('mirror2'), run.isSlowed('mirror3')]).toEqual([
      true,
      true,
      false
    ])
    expect(network.done.toSorted()).toEqual([
      'kill mirror1',
      'pause mirror2',
      'resume mirror2',
      'start mirror1'
    ])
  })

  it('goes on after a fault that could not be taken back, and says so', async () => {
    const { network, run } = start()
    network.failing.set('start mirror1', new Error('no port'))
    await run.run([kill, { ...pause, atMs: 20 }], AbortSignal.timeout(10_000))
    expect(run.problems).toEqual(['mirror1 is killed: no port'])
    expect(network.done).toContain('resume mirror2')
  })

  it('that is interrupted leaves what is active to be taken back', async () => {
    const { network, faults, run } = start()
    const ended = new AbortController()
    const during = run.run([{ ...pause, forMs: 60_000 }], ended.signal)
    await expect.poll(() => network.done).toContain('pause mirror2')
    ended.abort(new Error('SIGINT'))
    await expect(during).rejects.toThrow('SIGINT')
    await faults.revertAll()
    expect(network.done).toEqual(['pause mirror2', 'resume mirror2'])
    expect(run.problems).toEqual([])
  })
})

describe('metrics', () => {
  const TEXT = `# HELP catalog_node_uptime_seconds Time.
# TYPE catalog_node_uptime_seconds gauge
catalog_node_uptime_seconds 12.5
catalog_node_memory_rss_bytes 1.2e+8
catalog_node_open_files 51
catalog_node_event_loop_delay_seconds{window="current",quantile="0.99"} 0.5
catalog_node_event_loop_delay_seconds{window="last",quantile="0.99"} 0.02
catalog_node_errors_total{code="TIMEOUT",part="sync"} 3
catalog_node_errors_total{code="TIMEOUT",part="fetch"} 1
catalog_node_errors_total{code="INTERNAL",part=""} 2
`

  it('are read by their names and labels', () => {
    expect(sampleOf(TEXT)).toEqual({
      uptimeMs: 12_500,
      rssBytes: 120_000_000,
      openFiles: 51,
      loopP99Ms: 20,
      errors: { TIMEOUT: 4, INTERNAL: 2 }
    })
  })

  it('that were renamed are missed', () => {
    expect(() => sampleOf(TEXT.replaceAll('open_files', 'files'))).toThrow('catalog_node_open_files')
  })
})

describe('copies of libraries', () => {
  const said = (name: string, more: Partial<LibrariesSaid>): LibrariesSaid => ({
    name,
    peerId: `id-${name}`,
    planned: [],
    follows: [],
    own: { [`id-${name}`]: 'aa' },
    copies: {},
    ...more
  })
  const writer = said('writer', {})
  const follower = (more: Partial<LibrariesSaid>): LibrariesSaid =>
    said('follower', {
      planned: ['id-writer'],
      follows: ['id-writer'],
      copies: { 'id-writer': 'aa' },
      ...more
    })

  it('that are equal differ in nothing, and one that is not followed any more may differ', () => {
    expect(differences([writer, follower({})])).toEqual([])
    expect(differences([writer, follower({ copies: { 'id-writer': 'aa', 'id-other': 'bb' } })])).toEqual([])
  })

  it.each([
    ['another root', follower({ copies: { 'id-writer': 'bb' } }), 'follower has bb of writer, which has aa'],
    ['no copy', follower({ copies: {} }), 'follower has no copy of the library of writer'],
    ['not followed', follower({ follows: [] }), 'follower does not follow writer any more']
  ])('with %s are told', (_, other, sentence) => {
    expect(differences([writer, other])).toEqual([sentence])
  })

  it('of a damaged or missing original are told', () => {
    expect(differences([said('writer', { own: { 'id-writer': null } }), follower({})])).toHaveLength(1)
    expect(differences([said('writer', { own: {} }), follower({})])).toHaveLength(1)
  })
})

it('outcomes are counted by operation and code, with a few messages of each', () => {
  const outcomes = new Outcomes()
  outcomes.add('fetch')
  for (let at = 0; at < 5; at++) outcomes.add('fetch', { code: 'TIMEOUT', message: `m${at}` })
  outcomes.add('sync', { code: 'TIMEOUT', message: 'other' })
  expect(outcomes.done).toBe(1)
  expect(outcomes.failed).toEqual({ TIMEOUT: 6 })
  expect(outcomes.messagesOf('TIMEOUT')).toEqual(['m0', 'm1', 'm2'])
  expect(outcomes.lines()).toEqual(['fetch: 1 done, 5 TIMEOUT', 'sync: 0 done, 1 TIMEOUT'])
})
