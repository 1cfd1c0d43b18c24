import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder for the running test, which is removed after it, when all that its hooks close is closed. */
export async function testFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `catalog-${name}-`))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
