/**
 * Sync as a whole, by simulation (testnet/simulator): more than a hundred small worlds in which everything goes wrong that may. A failure names its
 * seed; `npm run simulate -- --seed S --nodes N --steps N --trace` shows it again.
 */
import { describe, expect, test } from 'vitest'
import { MISCHIEF_KINDS, MODES, type Mode, simulate } from '../../../testnet/index.ts'

const seedsFrom = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(first + index))

/** Of a session on average, where there are many small differences. */
const MOST_TURNS: Record<Mode, number> = { join: 4.3, follow: 4 }

describe.each(MODES)('many small worlds, whose nodes %s', mode => {
  // In parts, for the time that a test may take on a busy machine.
  test.each([0, 100])('come to equal sets and views, whatever happens in them, from %i on', async first => {
    const all = { equal: 0, turns: 0, shown: 0, refused: 0 }
    for (const seed of seedsFrom(first, 25)) {
      const { sessions, closed } = await simulate({ seed, nodes: 4, steps: 30, mode })
      all.equal += sessions.equal
      all.turns += sessions.turns
      all.shown += closed.shown
      all.refused += closed.refused
    }
    expect(all.equal).toBeGreaterThan(80)
    // What does not come out of a sketch comes all the same: only by this it shows.
    expect(all.turns / all.equal).toBeLessThan(MOST_TURNS[mode])
    // Closed libraries: shown to members, and kept from others.
    if (mode === 'follow') expect(Math.min(all.shown, all.refused)).toBeGreaterThan(20)
  })

  test('with more nodes and more steps, too', async () => {
    await simulate({ seed: '1000', nodes: 8, steps: 120, mode })
  })

  test.each(MISCHIEF_KINDS)('of which a part is a %s', async kind => {
    let hostile = 0
    for (const seed of seedsFrom(2000, 3)) {
      const figures = await simulate({ seed, nodes: 5, steps: 30, mode, hostile: [kind] })
      hostile += figures.hostile
    }
    expect(hostile).toBeGreaterThan(0)
  })
})

describe('a seed', () => {
  const run = async (seed: string, mode: Mode): Promise<{ lines: string[]; figures: unknown }> => {
    const lines: string[] = []
    const figures = await simulate({ seed, nodes: 5, steps: 40, mode, print: line => lines.push(line) })
    return { lines, figures }
  }

  test.each(MODES)('decides everything (%s)', async mode => {
    const first = await run('the same', mode)
    expect(await run('the same', mode)).toEqual(first)
    expect((await run('another', mode)).lines).not.toEqual(first.lines)
  })
})
