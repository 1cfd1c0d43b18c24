import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PACKAGE_FILE, readDefaults } from '../../../cli/publish/defaults.ts'
import { remove, temporaryFolder, writeTree } from '../installer/support.ts'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => remove(folder))

const ofNpm = (manifest: object) => {
  writeTree(folder, { 'package.json': JSON.stringify({ name: 'x', version: '1.0.0', ...manifest }) })
  return readDefaults(folder)
}

describe('package.json', () => {
  it.each<[string, object, object]>([
    ['a folder as its entry point', { main: './lib/' }, { entryPoint: 'lib' }],
    ['a short repository', { repository: 'acme/x' }, { links: { repository: 'https://github.com/acme/x' } }],
    [
      'a short repository of GitHub, named',
      { repository: 'github:acme/x' },
      { links: { repository: 'https://github.com/acme/x' } }
    ],
    [
      'a short repository elsewhere',
      { repository: { type: 'git', url: 'gitlab:acme/x' } },
      { links: { repository: 'https://gitlab.com/acme/x' } }
    ]
  ])('takes over %s', (_, manifest, description) => {
    expect(ofNpm(manifest)).toEqual({ name: 'x', version: '1.0.0', description, warnings: [] })
  })

  it.each<[string, object, string]>([
    ['a licence that is no SPDX expression', { license: 'Apache 2.0' }, 'Apache 2.0'],
    ['an entry point outside the package', { main: '../x.js' }, 'entryPoint'],
    ['a link that nobody should click', { homepage: 'file:///etc/passwd' }, 'links.homepage'],
    ['a word that is too long', { keywords: ['x'.repeat(1000)] }, 'keywords[0]']
  ])('loses %s, and nothing else, with a warning', (_, manifest, told) => {
    const { description, warnings } = ofNpm({
      description: 'kept',
      bugs: 'https://example.org/',
      ...manifest
    })
    expect(description).toEqual({ description: 'kept', links: { issues: 'https://example.org/' } })
    expect(warnings).toEqual([expect.stringContaining(told)])
  })
})

describe(PACKAGE_FILE, () => {
  it.each([
    ['text where a list stands', 'keywords = "tool"', 'keywords'],
    ['a number where a list stands', 'keywords = 5', 'keywords'],
    ['a licence that is no SPDX expression', 'licence = "Apache 2.0"', 'licence'],
    ['a range that is none', '[dependencies]\na = "^^1"', 'dependencies[0].range']
  ])('with %s is refused', (_, text, field) => {
    writeTree(folder, { [PACKAGE_FILE]: `name = "x"\n${text}\n` })
    expect(() => readDefaults(folder)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) })
    )
  })
})

it.each<[string, (file: string) => void]>([
  ['a device, which has no end', file => symlinkSync('/dev/zero', file)],
  ['a pipe, which nobody writes to', file => void execFileSync('mkfifo', [file])]
])('what a folder says of itself is not read from %s', (_, make) => {
  make(path.join(folder, PACKAGE_FILE))
  make(path.join(folder, 'package.json'))
  expect(readDefaults(folder)).toEqual({ description: {}, warnings: [] })
})
