import { expect, test } from 'vitest'
import { readImports } from '../../../scripts/imports/read.ts'
import { checkImports, type SourceFile } from '../../../scripts/imports/rules.ts'

const DEPENDENCIES = new Set(['libp2p', '@libp2p/ping'])

const file = (path: string, source: string): SourceFile => ({ path, imports: readImports(path, source) })

const rules = (...files: SourceFile[]): string[] =>
  checkImports(files, DEPENDENCIES).map(({ rule, path, line }) => `${path}:${line} ${rule}`)

test('what the rules allow', () => {
  expect(
    rules(
      file('base/index.ts', "export * from './errors.ts'"),
      file(
        'base/errors.ts',
        "import { readFile } from 'node:fs/promises'\nimport { ping } from '@libp2p/ping'"
      ),
      file(
        'library/content/store.ts',
        "import { CatalogError } from '../../base/index.ts'\nimport '../names.ts'"
      ),
      file('library/names.ts', "import type { Store } from './content/store.ts'"),
      file('test/unit/x.test.ts', "import '../../library/content/store.ts'\nimport 'vitest'")
    )
  ).toEqual([])
})

test.each([
  ["import { start } from '../node/index.ts'", 'direction'],
  ["import type { Node } from '../node/index.ts'", 'direction'],
  ["export * from '../node/index.ts'", 'direction'],
  ["const node = await import('../node/index.ts')", 'direction'],
  ["type Node = import('../node/index.ts').Node", 'direction'],
  ["import '../test/support.ts'", 'direction'],
  ["import { Topology } from '../topology/index.ts'", 'siblings'],
  ["import { CatalogError } from '../base/errors.ts'", 'index'],
  ["import type { Clock } from '../base/clock.ts'", 'index'],
  ["import fc from 'fast-check'", 'dev-dependency']
])('%s is a violation of %s', (source, rule) => {
  expect(rules(file('discovery/index.ts', `// first line\n${source}`))).toEqual([
    `discovery/index.ts:2 ${rule}`
  ])
})

test('a cycle of values is found wherever it begins, a cycle of types is none', () => {
  const cycle = [
    file('base/a.ts', "import './b.ts'"),
    file('base/b.ts', "import './c.ts'"),
    file('base/c.ts', "export { a } from './a.ts'")
  ]
  expect(checkImports(cycle, DEPENDENCIES)).toMatchObject([
    { rule: 'cycle', path: 'base/c.ts', message: 'base/a.ts -> base/b.ts -> base/c.ts -> base/a.ts' }
  ])
  expect(checkImports([...cycle].reverse(), DEPENDENCIES)).toHaveLength(1)
  expect(
    rules(file('base/a.ts', "import './b.ts'"), file('base/b.ts', "import type { A } from './a.ts'"))
  ).toEqual([])
})

test('a file that does not parse is an error, not silently skipped', () => {
  expect(() => readImports('base/a.ts', 'import {')).toThrow('base/a.ts')
})
