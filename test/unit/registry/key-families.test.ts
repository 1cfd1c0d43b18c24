import { expect, test } from 'vitest'
import { KeyFamily } from '../../../library/index.ts'

test('no key of one family can be one of another', () => {
  const families = Object.values<string>(KeyFamily)
  for (const [at, family] of families.entries()) {
    const others = families.filter((_, other) => other !== at)
    expect(others.filter(other => other.startsWith(family))).toEqual([])
  }
})
