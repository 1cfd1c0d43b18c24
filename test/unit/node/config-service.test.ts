import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../../config/index.ts'
import { createLogging } from '../../../node/logging/logging.ts'
import { createConfigService } from '../../../node/services/config.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-config-'))
  file = join(folder, 'config.toml')
  await writeFile(file, '# mine\n')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function service() {
  const sink = { write: () => {}, close: async () => {} }
  const logging = createLogging({ sink }, { level: 'info' })
  const reload = () => loadConfig({ file })
  return createConfigService({ loaded: reload(), reload, logging }, { file })
}

it('shows what is in force, and beside it what the next start will make of a change', async () => {
  const config = service()
  const row = (key: string) => config.show().values.find(value => value.key === key)
  expect(await config.set('store.quota', '5GB')).toMatchObject({ value: '5GB', restartNeeded: true })
  expect(row('store.quota')).toMatchObject({ value: '100GB', origin: 'default', pending: '5GB' })
  expect(row('network.id')).not.toHaveProperty('pending')
  expect(await config.set('log.level', 'debug')).toMatchObject({ restartNeeded: false })
  expect(row('log.level')).toMatchObject({ value: 'debug', origin: expect.stringMatching(/^file:/) })
  expect(row('log.level')).not.toHaveProperty('pending')
  await config.set('store.quota', '100GB')
  expect(row('store.quota')).not.toHaveProperty('pending')
})

it('warns of a file that the next start would refuse', async () => {
  const config = service()
  await writeFile(file, '[store]\nquta = "5GB"\n')
  expect(config.show().warnings).toEqual([
    expect.stringMatching(/^the next start will fail: CONFIG_UNKNOWN_KEY/)
  ])
})
