/**
 * kill -9 at random points of publish, fetch and install, a hundred times on the same two homes. What was acknowledged is there, no
 * corrupt byte is ever given out, a restart takes less than a second, and what was begun goes on or is done again.
 * Everything random comes from one seed, which is printed; CATALOG_SEED repeats a run (the kills then fall at the same
 * times; where the work is at that time is the machine's doing), CATALOG_ROUNDS makes it shorter.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MIB, SECOND_MS } from '../../base/index.ts'
import { randomFiles, writeFiles } from './support/content.ts'
import { crashFetch } from './support/crash-fetch.ts'
import { CrashInstalls } from './support/crash-install.ts'
import { crashPublish } from './support/crash-publish.ts'
import { CrashStage, type Outcome, type Round, type Victim } from './support/crash-stage.ts'
import { TestNode } from './support/node.ts'
import { chooseSeed, Random } from './support/random.ts'

type Work = 'publish' | 'fetch' | 'install'

/** A hundred rounds in all. */
const DECK: ReadonlyArray<[rounds: number, work: Work, victim: Victim]> = [
  [14, 'publish', 'publisher'],
  [10, 'publish', 'command'],
  [10, 'publish', 'worker'],
  [18, 'fetch', 'consumer'],
  [6, 'fetch', 'publisher'],
  [6, 'fetch', 'command'],
  [12, 'fetch', 'worker'],
  [16, 'install', 'command'],
  [8, 'install', 'consumer']
]
/** Fewer interruptions would mean that the kills come too late to show anything. */
const LEAST_INTERRUPTED = 40
/** What a restart may take, by the promise. */
const READY_MS = SECOND_MS
const TEST_TIMEOUT_MS = 15 * 60 * SECOND_MS
const WARM_UP_BYTES = 16 * MIB

const seed = chooseSeed()
let folder: string
let stage: CrashStage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-crash-'))
  const publisher = await TestNode.create(join(folder, 'publisher'))
  const consumer = await TestNode.create(join(folder, 'consumer'))
  await Promise.all([publisher.start(), consumer.start()])
  stage = new CrashStage({ publisher, consumer }, folder)
  await consumer.connectTo(publisher)
}, 60_000)

afterAll(async () => {
  await Promise.all([stage?.publisher.kill(), stage?.consumer.kill()])
  await rm(folder, { recursive: true, force: true })
})

/** Does each work once without a kill, to know how long it takes. */
async function warmUp(): Promise<void> {
  const { publisher, consumer } = stage
  stage.commandMs = (await publisher.run('status')).tookMs
  const files = randomFiles(new Random(`${seed}/warm-up`), WARM_UP_BYTES, 8)
  const source = stage.path('warm-up')
  await writeFiles(source, files)
  const published = await publisher.run('publish', source, '--name', 'warm-up', '--version', '1.0.0')
  stage.learnPace('publish', files, Math.max(0, published.tookMs - stage.commandMs))
  const startedMs = performance.now()
  const fetched = await consumer.daemon.operation('/v1/fetches', { spec: 'warm-up' })
  expect(fetched.error).toBeUndefined()
  stage.learnPace('fetch', files, performance.now() - startedMs)
  const installed = await consumer.run('install', 'warm-up', '--to', stage.path('warm-up-target'))
  expect(installed.error).toBeUndefined()
  stage.learnPace('install', files, Math.max(0, installed.tookMs - stage.commandMs))
}

function rounds(): Array<{ work: Work; victim: Victim }> {
  const deck = DECK.flatMap(([count, work, victim]) =>
    Array.from({ length: count }, () => ({ work, victim }))
  )
  return new Random(`${seed}/deck`).shuffled(deck).slice(0, Number(process.env.CATALOG_ROUNDS ?? deck.length))
}

it(
  'a hundred kills lose nothing that was acknowledged and give out no wrong byte',
  async () => {
    console.log(`crash rounds: CATALOG_SEED=${seed}`)
    await warmUp()
    const installs = new CrashInstalls(stage)
    const run: Record<Work, (round: Round) => Promise<Outcome>> = {
      publish: round => crashPublish(stage, round),
      fetch: round => crashFetch(stage, round),
      install: round => installs.crash(round)
    }
    const interrupted: Record<string, number> = {}
    const deck = rounds()
    for (const [number, { work, victim }] of deck.entries()) {
      const round = { number, victim, random: new Random(`${seed}/${number}`) }
      try {
        const outcome = await run[work](round)
        const key = `${work}/${victim}`
        interrupted[key] = (interrupted[key] ?? 0) + (outcome === 'interrupted' ? 1 : 0)
      } catch (cause) {
        const where = `round ${number}, ${work}, victim ${victim}, killed after ${stage.killedAfterMs} ms`
        throw new Error(`${where}, CATALOG_SEED=${seed}: ${(cause as Error).message}`, { cause })
      }
    }
    const readyMs = stage.readyMs.toSorted((a, b) => a - b).map(Math.round)
    const medianMs = readyMs[readyMs.length >> 1]!
    console.log(`interrupted: ${JSON.stringify(interrupted)}`)
    console.log(`restart to ready: median ${medianMs} ms, slowest ${readyMs.at(-1)} ms of ${readyMs.length}`)
    for (const node of [stage.publisher, stage.consumer]) {
      const { result } = await node.daemon.operation('/v1/verifications', {})
      expect(result).toMatchObject({ ok: true, bad: [] })
    }
    const total = Object.values(interrupted).reduce((sum, count) => sum + count, 0)
    if (deck.length === 100) expect(total).toBeGreaterThan(LEAST_INTERRUPTED)
    // On a machine that others load too, everything takes so much longer.
    const crowded = Math.max(1, loadavg()[0]! / availableParallelism())
    expect(medianMs).toBeLessThan(READY_MS * crowded)
  },
  TEST_TIMEOUT_MS
)
