import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const PROJECT = resolve(import.meta.dirname, '../../..')
const CACHE = join(PROJECT, 'node_modules/.cache')
const SAMPLE = `syntax = "proto3";
enum Kind { NONE = 0; FULL = 1; }
message Item { bytes hash = 1; uint32 length = 2; }
message Sample { uint32 id = 1; bytes key = 2; repeated Item items = 3; Kind kind = 4; optional string name = 5; }
`

let folder: string

beforeEach(() => {
  mkdirSync(CACHE, { recursive: true })
  // Below the project, so that what was generated finds its runtime.
  folder = mkdtempSync(join(CACHE, 'generate-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const generate = (...args: string[]) =>
  spawnSync(process.execPath, [join(PROJECT, 'scripts/generate.ts'), ...args, folder], { encoding: 'utf8' })

test('makes a codec that runs in Node and types without enums to strip, and notices drift', async () => {
  writeFileSync(join(folder, 'messages.proto'), SAMPLE)
  expect(generate().status).toBe(0)
  const { Sample, Kind } = await import(join(folder, 'messages.js'))
  const message = {
    id: 7,
    key: new Uint8Array([1]),
    items: [{ hash: new Uint8Array(2), length: 3 }],
    kind: Kind.FULL
  }
  expect(Sample.decode(Sample.encode(message))).toMatchObject(message)
  expect(readFileSync(join(folder, 'messages.d.ts'), 'utf8')).toContain('key: Uint8Array;')

  expect(generate('--check').status).toBe(0)
  appendFileSync(join(folder, 'messages.js'), '// by hand\n')
  expect(generate('--check')).toMatchObject({ status: 1, stdout: expect.stringContaining('messages.js') })
  expect(generate().stdout).toContain('wrote')
  expect(generate('--check').status).toBe(0)
})

test('says what protons cannot do', () => {
  writeFileSync(
    join(folder, 'messages.proto'),
    `syntax = "proto3";\npackage x;\nmessage A { uint32 id = 1; }\n`
  )
  expect(generate()).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('protons knows no `package`')
  })
})
