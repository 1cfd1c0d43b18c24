/** A kill while a release is fetched. */
import { expect } from 'vitest'
import type { Operation } from '../../../node/index.ts'
import { eventually } from '../../daemon/support.ts'
import { type Files, randomFiles, sizeOf } from './content.ts'
import type { CrashStage, Outcome, Round } from './crash-stage.ts'
import type { Command } from './program.ts'
import { blockBytes, type Sizes, segmentSizes, wholeRecords } from './segments.ts'

/** A fetch under way: one at the daemon, or the command that started it. */
interface Started {
  operation?: Operation
  command?: Command
}

/**
 * Fetches a new release and kills either daemon, the command or the worker. The fetch goes on by itself or when it is asked
 * for again, asks for nothing that was on disk at the kill, and ends with the publisher's bytes.
 */
export async function crashFetch(stage: CrashStage, round: Round): Promise<Outcome> {
  const { publisher, consumer } = stage
  const { random, victim } = round
  const files = randomFiles(random, stage.randomSize(random), random.integer(3, 12))
  const name = `fetched-${round.number}`
  const { record } = await publisher.daemon.publish({ name, version: '1.0.0', files })
  const content = record.release.content.toString()
  const before = segmentSizes(consumer.home.root)

  const started = await start(stage, name, victim === 'command')
  await stage.untilKill('fetch', files, random, victim === 'command' ? stage.commandMs : 0)
  if (victim === 'command') started.command!.process.kill('SIGKILL')
  else if (victim === 'worker') consumer.killWorker()
  else await stage[victim].kill()
  if (victim === 'publisher') await stage.restart(publisher)
  const ended = await endOf(stage, started, victim === 'consumer')
  const isAcknowledged = ended?.state === 'done'
  if (victim === 'publisher') await stage.reconnect()

  const durable = wholeRecords(consumer.home.root, before)
  if (victim === 'consumer') await stage.restart(consumer)
  const went = victim === 'consumer' ? await resumed(stage, name, durable.length > 0) : undefined
  const last = await consumer.daemon.operation('/v1/fetches', { spec: name })
  expect(last.error, 'fetching again').toBeUndefined()
  if (isAcknowledged) expect(last.result?.bytesFetched, 'what was acknowledged is there').toBe(0)
  await stage.expectBytes(consumer, content, files)

  for (const { result } of [went, last].filter(found => found?.state === 'done') as Operation[]) {
    const { bytesFetched, bytesReused } = result as { bytesFetched: number; bytesReused: number }
    expect(bytesFetched + bytesReused).toBe(sizeOf(files))
    const most = sizeOf(files) - chunkBytes(durable, stage, before, files)
    expect(bytesFetched, 'what was on disk is not fetched again').toBeLessThanOrEqual(most)
  }
  return isAcknowledged ? 'acknowledged' : 'interrupted'
}

async function start({ consumer }: CrashStage, name: string, byCommand: boolean): Promise<Started> {
  if (byCommand) return { command: consumer.command('fetch', name) }
  return await consumer.daemon.ok('POST', '/v1/fetches', { spec: name })
}

/**
 * How the operation ended, at the daemon that still runs; undefined where none was begun. After the consumer's own
 * death nobody knows.
 */
async function endOf(
  { consumer }: CrashStage,
  { operation, command }: Started,
  isLost: boolean
): Promise<Operation | undefined> {
  if (isLost) return undefined
  if (operation !== undefined) return await consumer.daemon.untilEnded(operation.id)
  const { code } = await command!.ended
  const { operations } = await consumer.daemon.ok('GET', '/v1/operations')
  const running = operations.find((one: Operation) => one.kind === 'fetch' && one.state === 'running')
  if (running !== undefined) return await consumer.daemon.untilEnded(running.id)
  return code === 0 ? operations.find((one: Operation) => one.kind === 'fetch') : undefined
}

/** The fetch that the daemon went on with by itself. Once a byte was on disk it must, unless all was there already. */
async function resumed(
  { consumer }: CrashStage,
  name: string,
  mustBe: boolean
): Promise<Operation | undefined> {
  const { versions } = await consumer.daemon.ok('GET', `/v1/packages/${name}`)
  if (!mustBe || versions[0]?.local === 'complete') return undefined
  const operation = await eventually(async () => {
    const { operations } = await consumer.daemon.ok('GET', '/v1/operations')
    return operations.find((one: Operation) => one.kind === 'fetch')
  })
  expect(operation.requestId).toMatch(/^resume-/)
  return await consumer.daemon.untilEnded(operation.id)
}

/** Bytes of chunks among the durable blocks: all but the manifest and trees, whose size the whole content tells. */
function chunkBytes(
  durable: ReturnType<typeof wholeRecords>,
  { consumer }: CrashStage,
  before: Sizes,
  files: Files
): number {
  const metadataBytes = blockBytes(wholeRecords(consumer.home.root, before)) - sizeOf(files)
  expect(metadataBytes, 'every block of the content is on disk').toBeGreaterThan(0)
  return blockBytes(durable) - metadataBytes
}
