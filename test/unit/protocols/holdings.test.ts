/** What nodes say that they hold: which bit is of which content, and what a peer may ask and tell. */
import { randomBytes } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, it } from 'vitest'
import { SECOND_MS } from '../../../base/index.ts'
import { askHoldings, HoldingsExchange, type HoldingsTold, tellHoldings } from '../../../protocols/index.ts'
import { NOT_HERE_MS } from '../../../protocols/wire/not-here.ts'
import { SigningKey } from '../../../trust/index.ts'
import { ControlNet } from '../mirroring/control-net.ts'
import { contentOf } from '../records/examples.ts'
import { ManualClock } from './manual-clock.ts'

const signal = AbortSignal.timeout(60_000)
const contents = (count: number): CID[] =>
  Array.from({ length: count }, (_, at) => contentOf(`content ${at}`))
const names = (of: readonly CID[]): string[] => of.map(String)

let clock: ManualClock
let held: Set<string>
let told: HoldingsTold[]
let holder: ReturnType<ControlNet['join']>
let asker: ReturnType<ControlNet['join']>
let client: HoldingsExchange

beforeEach(async () => {
  const net = new ControlNet()
  clock = new ManualClock()
  held = new Set()
  told = []
  holder = net.join(SigningKey.generate())
  asker = net.join(SigningKey.generate())
  const nothing = { holds: () => false, onTold: () => undefined, clock }
  new HoldingsExchange({
    control: holder.control,
    clock,
    holds: content => held.has(content.toString()),
    onTold: (_, what) => void told.push(what)
  })
  client = new HoldingsExchange({ ...nothing, control: asker.control })
})

/** With the time that an answer takes, and no more for others to be asked again. */
async function during<T>(asking: Promise<T>): Promise<T> {
  let isOver = false
  const over = asking.finally(() => (isOver = true))
  over.catch(() => undefined)
  while (!isOver) await clock.advance(NOT_HERE_MS, NOT_HERE_MS)
  return await over
}
const ask = (of: readonly CID[]): Promise<CID[]> => during(client.ask(holder.peerId, of, signal))

describe('what a peer says that it holds', () => {
  it('is what it holds, of as many contents as are asked about', async () => {
    const all = contents(600)
    const here = all.filter((_, at) => at % 7 === 3 || at === 0 || at === 255 || at === 256 || at === 599)
    held = new Set(names(here))
    expect(names(await ask(all))).toEqual(names(here))
    expect(await ask(all.filter(content => !here.includes(content)))).toEqual([])
  })

  it('comes at its time, whether it holds something or not', async () => {
    const [one] = contents(1)
    for (const isHere of [false, true]) {
      held = new Set(isHere ? [String(one)] : [])
      let isOver = false
      const asking = client.ask(holder.peerId, [one!], signal).finally(() => (isOver = true))
      await clock.advance(NOT_HERE_MS - 1, NOT_HERE_MS)
      expect(isOver).toBe(false)
      await clock.advance(1)
      expect(await asking).toHaveLength(isHere ? 1 : 0)
    }
  })

  it('comes to who is told with all that came and went', async () => {
    const [here, gone] = [contents(150), contents(200).slice(150)]
    await client.tell(holder.peerId, { held: here, gone }, signal)
    expect(told.flatMap(part => names(part.held))).toEqual(names(here))
    expect(told.flatMap(part => names(part.gone))).toEqual(names(gone))
    expect(Math.max(...told.map(part => part.held.length))).toBe(64)
  })
})

describe('a peer that asks or tells without end', () => {
  it('is answered that this node is busy, and again a second later', async () => {
    const some = contents(256)
    let asked = 0
    const asking = async (): Promise<string | undefined> => {
      try {
        for (;;) {
          await ask(some)
          asked += some.length
        }
      } catch (thrown) {
        return (thrown as { code?: string }).code
      }
    }
    const beganMs = clock.monotonicMs()
    expect(await asking()).toBe('BUSY')
    const passedS = (clock.monotonicMs() - beganMs) / SECOND_MS
    expect(asked).toBeGreaterThan(20_000 - 256)
    expect(asked).toBeLessThanOrEqual(20_000 + 400 * passedS)
    await clock.advance(SECOND_MS)
    expect(await ask(some)).toEqual([])
  })

  it('is told so of what it tells, of which nothing counts', async () => {
    const telling = { held: contents(2001), gone: [] }
    await expect(client.tell(holder.peerId, telling, signal)).rejects.toMatchObject({ code: 'BUSY' })
    const counted = told.flatMap(part => part.held).length
    expect(counted).toBeLessThanOrEqual(2000)
    expect(counted).toBeGreaterThan(2000 - 64)
  })
})

it('what is no content is refused, and none of it is told', async () => {
  const garbage = { held: [contents(1)[0]!.bytes, randomBytes(36).fill(0xff, 0, 4)], gone: [] }
  const code = { code: 'INVALID_ARGUMENT', details: { remoteCode: 'PROTOCOL_VIOLATION' } }
  await expect(asker.control.request(holder.peerId, tellHoldings, garbage)).rejects.toMatchObject(code)
  const asked = { contents: garbage.held }
  await expect(asker.control.request(holder.peerId, askHoldings, asked)).rejects.toMatchObject(code)
  expect(told).toEqual([])
})
