import { expect, test } from 'vitest'
import { KeyFamily } from '../../../library/database/keys.ts'

test('no family of keys is the beginning of another: clearing one would take the other with it', () => {
  const families = Object.entries(KeyFamily)
  for (const [name, family] of families)
    for (const [other, otherFamily] of families)
      if (name !== other) expect(otherFamily.startsWith(family), `${name} and ${other}`).toBe(false)
})
