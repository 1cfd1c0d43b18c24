/** The one way in which tests wait for what has no event, such as the state of another process: bounded, and told in the failure. */

/** Soon at first, then as seldom as a person would not notice: a loaded machine is not loaded more. */
const FIRST_DELAY_MS = 5
const MAX_DELAY_MS = 50
/** Generous: the machine may run other tests. */
const LIMIT_MS = 30_000

/** What `check` gives once it is neither undefined nor false. Fails after `limitMs`; an error of `check` fails it at once. */
export async function eventually<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = LIMIT_MS
): Promise<T> {
  const endMs = performance.now() + limitMs
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    const value = await check()
    if (value !== undefined && value !== false) return value
    if (performance.now() > endMs) throw new Error(`it did not become so within ${limitMs} ms: ${check}`)
    await new Promise(resolve => setTimeout(resolve, delayMs))
  }
}
