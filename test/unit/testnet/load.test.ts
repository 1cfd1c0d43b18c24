import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isScenarioFile, loadScenario, SCENARIOS } from '../../../testnet/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'catalog-scenario-'))
afterAll(() => rmSync(folder, { recursive: true }))

const written = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const OWN = `const OWN = {
  name: 'own',
  description: 'nothing happens',
  size: { topology: 'mesh', regions: ['eu'], counts: { seed: 1 } },
  steps: () => []
}`

test('a scenario of a file is its default export', async () => {
  const scenario = await loadScenario(written('own.mjs', `${OWN}\nexport default OWN`))
  expect(scenario).toMatchObject({ name: 'own', size: { counts: { seed: 1 } } })
})

test.each([
  ['is not there', undefined, 'NOT_FOUND', 'there is no file'],
  ['does not run', 'throw new Error("half written")', 'INVALID_ARGUMENT', 'half written'],
  ['is of another language', 'steps = [', 'INVALID_ARGUMENT', 'cannot be run'],
  ['exports something else', 'export default { name: "own" }', 'INVALID_ARGUMENT', 'exports no scenario'],
  [
    'leads out of the folder of reports',
    'export default { ...OWN, name: "../own" }',
    'INVALID_ARGUMENT',
    'exports no scenario'
  ],
  ['needs no network', 'export default { ...OWN, size: null }', 'INVALID_ARGUMENT', 'exports no scenario'],
  ['exports nothing', 'export const own = {}', 'INVALID_ARGUMENT', 'exports no scenario']
])('a file that %s', async (what, text, code, message) => {
  const name = `${what.replaceAll(' ', '-')}.mjs`
  const path = text === undefined ? join(folder, name) : written(name, `${OWN}\n${text}`)
  await expect(loadScenario(path)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message)
  })
})

test('a path is told from a name', () => {
  expect(['./own.ts', 'own.ts', 'folder/own', 'own.mjs'].every(isScenarioFile)).toBe(true)
  expect(SCENARIOS.some(({ name }) => isScenarioFile(name))).toBe(false)
})
