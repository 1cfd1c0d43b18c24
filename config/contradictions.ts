/** What is wrong with values that each have the right form: such as cannot work together, or that no pattern tells from right ones. */
import type { ConfigProblem } from './problems.ts'
import type { Config } from './schema/index.ts'

interface Contradiction {
  readonly key: string
  readonly value: string
  readonly rule: string
  /** After the key and where it was set. */
  readonly what: string
  /** The setting that made it one; the key itself unless given. */
  readonly because?: string
}

/** Settings of which the first may not be above the second. */
const RANGES = [
  ['minAtOnce', 'maxAtOnce'],
  ['minPrefetch', 'maxPrefetch']
] as const

/** A problem for each; none when the configuration can be used. */
export const configContradictions = (config: Config, origins: ReadonlyMap<string, string>): ConfigProblem[] =>
  [...unsetOfBucket(config), ...noUrls(config), ...emptyRanges(config)].map(
    ({ key, value, rule, what, because = key }) => {
      const origin = origins.get(because) ?? 'default'
      return { code: 'CONFIG_BAD_VALUE', origin, key, value, rule, message: `${key} ${what} (${origin})` }
    }
  )

function unsetOfBucket(config: Config): Contradiction[] {
  const because = 'store.backend'
  if (config.store.backend !== 's3') return []
  return (['endpoint', 'bucket'] as const)
    .filter(name => config['store.s3'][name] === '')
    .map(name => ({
      key: `store.s3.${name}`,
      value: '',
      rule: 'set when store.backend is s3',
      what: 'is not set, and store.backend is s3',
      because
    }))
}

/** Such as one with a port that there cannot be. */
const noUrls = (config: Config): Contradiction[] =>
  (['store.s3', 'tracing'] as const)
    .map(part => ({ key: `${part}.endpoint`, value: config[part].endpoint }))
    .filter(({ value }) => value !== '' && !URL.canParse(value))
    .map(({ key, value }) => ({
      key,
      value,
      rule: 'a URL, with a port of 65535 at most if it has one',
      what: `is '${value}', which is no URL`
    }))

const emptyRanges = ({ tuning }: Config): Contradiction[] =>
  RANGES.filter(([min, max]) => tuning[min] > tuning[max]).map(([min, max]) => ({
    key: `tuning.${min}`,
    value: String(tuning[min]),
    rule: `at most tuning.${max}`,
    what: `is ${tuning[min]}, above tuning.${max}, which is ${tuning[max]}`
  }))
