/** The globals of mocha that the specs use, so that its own type package is not needed for four functions. */
interface Test {
  title: string
  pending: boolean
  retries(times: number): void
  fn: (this: unknown) => Promise<unknown> | unknown
}
export interface Suite {
  eachTest(visit: (test: Test) => void): void
}
interface MochaGlobals {
  describe(title: string, body: (this: Suite) => void): void
  after(body: () => Promise<void> | void): void
}

export const { describe, after } = globalThis as unknown as MochaGlobals
