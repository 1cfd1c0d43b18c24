/** Bytes are compared as bytes: value by value, as `toEqual` does it, twelve megabytes take it seconds. */
import { expect } from 'vitest'

expect.addEqualityTesters([
  (one: unknown, other: unknown): boolean | undefined =>
    // Of two kinds it decides itself.
    one instanceof Uint8Array && other instanceof Uint8Array && one.constructor === other.constructor
      ? Buffer.compare(one, other) === 0
      : undefined
])
