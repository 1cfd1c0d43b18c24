import { expect, it } from 'vitest'
import { npmDependencies } from '../../../node/services/npm-dependencies.ts'

it('lists what a publisher recorded, by kind', () => {
  const extensions = {
    npmDependencies: { required: { a: 'file:../a', B: '^1' }, optional: { c: 'git+ssh://x' } }
  }
  expect(npmDependencies({ extensions })).toEqual([
    { name: 'a', range: 'file:../a', kind: 'required' },
    { name: 'B', range: '^1', kind: 'required' },
    { name: 'c', range: 'git+ssh://x', kind: 'optional' }
  ])
})

it.each([undefined, null, 5, 'x', ['x'], { required: 5 }, { required: null }, { required: { a: 5, b: {} } }])(
  'passes over %j',
  npm => {
    expect(npmDependencies({ extensions: { npmDependencies: npm } })).toEqual([])
  }
)

it('of a release without extensions are none', () => {
  expect(npmDependencies({})).toEqual([])
})
