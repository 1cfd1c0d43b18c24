/** A kill while a folder is published. */
import { rm } from 'node:fs/promises'
import { expect } from 'vitest'
import { randomFiles, writeFiles } from './content.ts'
import type { CrashStage, Outcome, Round } from './crash-stage.ts'

/**
 * Publishes with the command line and kills the daemon, the command or the worker. What was acknowledged must be there; what
 * was not is there wholly or not at all; and publishing again succeeds.
 */
export async function crashPublish(stage: CrashStage, round: Round): Promise<Outcome> {
  const { publisher } = stage
  const { random, victim } = round
  const files = randomFiles(random, stage.randomSize(random), random.integer(3, 12))
  const folder = stage.path(`source-${round.number}`)
  const name = `published-${round.number}`
  await writeFiles(folder, files)
  const publish = ['publish', folder, '--name', name, '--version', '1.0.0']

  const command = publisher.command(...publish)
  await stage.untilKill('publish', files, random, stage.commandMs)
  if (victim === 'command') command.process.kill('SIGKILL')
  else if (victim === 'worker') publisher.killWorker()
  else await publisher.kill()
  const { code } = await command.ended
  const isAcknowledged = code === 0
  if (victim === 'publisher') {
    await stage.restart(publisher)
    await stage.reconnect()
  }

  const { versions } = await publisher.daemon.ok('GET', `/v1/packages/${name}`)
  if (isAcknowledged) expect(versions, 'what was acknowledged is there').toHaveLength(1)
  for (const { local, content } of versions) {
    expect(local, 'nothing half-done is visible').toBe('complete')
    await stage.expectBytes(publisher, content, files)
  }
  const again = await publisher.run(...publish)
  expect(again.error, 'publishing again').toBeUndefined()
  expect(again.code).toBe(0)
  await stage.expectBytes(publisher, again.json.content, files)
  await rm(folder, { recursive: true })
  return isAcknowledged ? 'acknowledged' : 'interrupted'
}
