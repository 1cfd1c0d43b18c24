import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProbeVerdict } from '../../../protocols/index.ts'
import { judge, spread, type Vote } from '../../../topology/index.ts'

const vote = (network: string, ...said: ProbeVerdict[]): Vote => ({
  network,
  verdicts: new Map(said.map((verdict, at) => [`lost${at}`, verdict]))
})

describe('votes', () => {
  it.each<[string, Vote[], string[], string[], number]>([
    ['all miss it', [vote('a', 'silent'), vote('b', 'silent')], [], ['lost0'], 2],
    [
      'one lies that it is there',
      [vote('a', 'silent'), vote('b', 'silent'), vote('c', 'reached')],
      [],
      ['lost0'],
      3
    ],
    [
      'one lies that it is not',
      [vote('a', 'reached'), vote('b', 'silent'), vote('c', 'reached')],
      ['lost0'],
      [],
      3
    ],
    ['one says each', [vote('a', 'reached'), vote('b', 'silent')], [], [], 2],
    ['nobody knows', [vote('a', 'unknown'), vote('b', 'unknown')], [], [], 0],
    ['nobody answers', [], [], [], 0],
    [
      'who does not know has no vote',
      [vote('a', 'unknown', 'silent'), vote('b', 'reached', 'unknown')],
      ['lost0'],
      ['lost1'],
      2
    ],
    [
      'a crowd in one network has one vote',
      [
        ...Array.from({ length: 9 }, () => vote('crowd', 'reached')),
        vote('b', 'silent'),
        vote('c', 'silent')
      ],
      [],
      ['lost0'],
      3
    ]
  ])('%s', (_, votes, reached, silent, count) => {
    expect(judge(votes)).toEqual({ reached, silent, votes: count })
  })

  it('of a minority of networks change nothing, whatever they say', () => {
    const word = fc.constantFrom<ProbeVerdict>('unknown', 'reached', 'silent')
    const honest = fc.constantFrom<ProbeVerdict>('reached', 'silent')
    fc.assert(
      fc.property(
        honest,
        fc.integer({ min: 1, max: 5 }),
        fc.array(word, { maxLength: 30 }),
        (truth, count, lies) => {
          const honestOnes = Array.from({ length: count }, (_, at) => vote(`honest${at}`, truth))
          const liars = lies.map((lie, at) => vote(`liar${at % Math.max(1, count - 1)}`, lie))
          const all = count === 1 ? honestOnes : [...liars, ...honestOnes]
          expect(judge(all)).toMatchObject({ [truth]: ['lost0'] })
        }
      )
    )
  })
})

describe('probers', () => {
  const peer = (peerId: string, network: string, region: string) => ({ peerId, network, region })

  it('are of as many networks as there are, and then regions', () => {
    const crowd = Array.from({ length: 50 }, (_, at) => peer(`crowd${at}`, 'crowd', 'near'))
    for (let seed = 0; seed < 20; seed++) {
      const random = (): number => (Math.sin(++seed) + 1) / 2
      const chosen = spread([...crowd, peer('a', 'a', 'near'), peer('b', 'b', 'far')], 3, random)
      expect(chosen).toHaveLength(3)
      expect(chosen).toEqual(expect.arrayContaining(['a', 'b']))
    }
    const [first, second] = spread(
      [peer('a', 'a', 'x'), peer('b', 'b', 'x'), peer('c', 'c', 'y')],
      2,
      () => 0
    )
    expect([first, second]).toContain('c')
  })

  it('are all that there are, when they are few', () => {
    expect(spread([peer('a', 'a', 'x')], 3, () => 0.5)).toEqual(['a'])
    expect(spread([], 3, () => 0.5)).toEqual([])
  })
})
