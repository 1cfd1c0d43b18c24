/**
 * Mirroring as a whole, by simulation (testnet/simulator/mirror): small worlds in which nodes come, go, lie, fill up and fall apart. A failure names
 * its seed; `npm run simulate -- --mirror --seed S --nodes N --steps N --trace` shows it again.
 */
import { describe, expect, test } from 'vitest'
import { simulateMirror } from '../../../testnet/index.ts'

describe('mirrors', () => {
  test.each(['1', '2', '3'])('keep what they are to keep, whatever happens (seed %s)', async seed => {
    const { copies, lost, short, plans, dropped } = await simulateMirror({ seed, nodes: 20, steps: 80 })
    // It has been put to the test.
    expect(plans).toBeGreaterThan(500)
    expect(lost.copies).toBeGreaterThan(20)
    expect(short.times).toBeGreaterThan(0)
    for (const kind of ['first', 'repair', 'demand']) expect(copies[kind]?.count, kind).toBeGreaterThan(0)
    expect(dropped.surplus).toBeGreaterThan(0)
  })

  test('copy less in a network of honest ones than was lost', async () => {
    const { copies, lost } = await simulateMirror({ seed: 'honest', nodes: 20, steps: 60, isHostile: false })
    expect((copies.repair?.bytes ?? 0) + (copies.replaced?.bytes ?? 0)).toBeLessThan(1.3 * lost.bytes)
  })

  test('do the same with the same seed', async () => {
    const run = async (seed: string): Promise<{ lines: string[]; figures: unknown }> => {
      const lines: string[] = []
      const print = (line: string): void => void lines.push(line)
      const figures = await simulateMirror({ seed, nodes: 8, steps: 20, print })
      return { lines, figures }
    }
    const first = await run('the same')
    expect(await run('the same')).toEqual(first)
    expect((await run('another')).lines).not.toEqual(first.lines)
  })
})
