/**
 * Sync as a whole, by simulation (testnet/simulator): a few hundred small worlds in which everything goes wrong that may. A failure names its
 * seed; `npm run simulate -- --seed S --nodes N --steps N --trace` shows it again.
 */
import { describe, expect, test } from 'vitest'
import { MISCHIEF_KINDS, simulate } from '../../../testnet/index.ts'

const seedsFrom = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(first + index))

describe('many small worlds', () => {
  // In parts, for the time that a test may take on a busy machine.
  test.each([0, 100, 200])(
    'come to one set and one view, whatever happens in them, from %i on',
    async first => {
      let equal = 0
      for (const seed of seedsFrom(first, 50)) {
        const { sessions } = await simulate({ seed, nodes: 4, steps: 30 })
        equal += sessions.equal
      }
      expect(equal).toBeGreaterThan(100)
    }
  )

  test('with more nodes and more steps, too', async () => {
    for (const seed of seedsFrom(1000, 2)) await simulate({ seed, nodes: 10, steps: 150 })
  })

  test.each(MISCHIEF_KINDS)('of which a part is a %s', async kind => {
    let hostile = 0
    for (const seed of seedsFrom(2000, 6)) {
      const figures = await simulate({ seed, nodes: 5, steps: 30, hostile: [kind] })
      hostile += figures.hostile
    }
    expect(hostile).toBeGreaterThan(0)
  })
})

describe('a seed', () => {
  const run = async (seed: string): Promise<{ lines: string[]; figures: unknown }> => {
    const lines: string[] = []
    const figures = await simulate({ seed, nodes: 5, steps: 40, print: line => lines.push(line) })
    return { lines, figures }
  }

  test('decides everything', async () => {
    const first = await run('the same')
    expect(await run('the same')).toEqual(first)
    expect((await run('another')).lines).not.toEqual(first.lines)
  })
})
