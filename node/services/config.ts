import { readFile } from 'node:fs/promises'
import { CatalogError, Semaphore, toCatalogError } from '../../base/index.ts'
import {
  type Config,
  configValue,
  describeConfig,
  formatConfigValue,
  isOverridden,
  type LoadedConfig,
  setConfigValue,
  throwProblems
} from '../../config/index.ts'
import type { Throttle } from '../../protocols/index.ts'
import { writeFileAtomic } from '../home/atomic-file.ts'
import { isLogLevel } from '../logging/line.ts'
import type { Logging } from '../logging/logging.ts'
import type { ConfigChange, ConfigReply } from '../schemas.ts'
import { expectReadable, unreadableEntries } from '../settings-check.ts'
import { throttleOptions } from '../throttling.ts'
import type { ConfigService } from './types.ts'

export interface ConfigModules {
  loaded: LoadedConfig
  /** Reads the configuration anew, as a start of the daemon would; with a text, as if that stood in the file. */
  reload(text?: string): LoadedConfig
  logging: Logging
  throttle: Pick<Throttle, 'configure'>
  /** Puts other lines of `sync.follow` in force. */
  follow(lines: readonly string[]): Promise<void>
  /** Switches tuning on or off. */
  tune(isOn: boolean): void
}

/** Holds what is followed. */
const FOLLOW = 'sync.follow'
const TUNE = 'tuning.auto'
/** Section whose keys all take effect at once, with `log.level`, `sync.follow` and `tuning.auto`; every other key waits for the next start. */
const LIVE_SECTION = 'limits.'
const isLive = (key: string): boolean =>
  ['log.level', FOLLOW, TUNE].includes(key) || key.startsWith(LIVE_SECTION)
/** Changes of the file that wait for the one before: more than a person and some programs make at once. */
const MAX_WAITING = 16

/** The settings in force, and changes to config.toml that keep its comments. */
export function createConfigService(modules: ConfigModules, options: { file: string }): ConfigService {
  const { loaded, logging, throttle } = modules
  const turns = new Semaphore({ name: 'changes of the configuration', maxActive: 1, maxWaiting: MAX_WAITING })
  let inForce: Config = loaded.values

  /** What a start would read, with `text` in the file where that is given. Throws what the start would. */
  function readAsStart(text?: string): LoadedConfig {
    const read = modules.reload(text)
    expectReadable(read)
    return read
  }

  /** What the next start would read. A file that it would refuse is worth a warning now. */
  function readNext(): { next?: LoadedConfig; warnings: string[] } {
    try {
      return { next: readAsStart(), warnings: [] }
    } catch (thrown) {
      const { code, message } = toCatalogError(thrown)
      return { warnings: [`the next start will fail: ${code}: ${message}`] }
    }
  }

  /** Puts a live setting in force. */
  async function apply(key: string, values: Config): Promise<void> {
    // Only this key: what else was changed in the file by hand waits for the next start.
    if (key === 'log.level') {
      const level = formatConfigValue(key, values)
      if (isLogLevel(level)) logging.level = level
    } else if (key === FOLLOW) {
      const { follow } = values.sync
      inForce = { ...inForce, sync: { ...inForce.sync, follow } }
      await modules.follow(follow)
    } else if (key === TUNE) {
      const { auto } = values.tuning
      inForce = { ...inForce, tuning: { ...inForce.tuning, auto } }
      modules.tune(auto)
    } else if (key.startsWith(LIVE_SECTION)) {
      const limits = withLimit(inForce.limits, key, values.limits[limitName(key)])
      inForce = { ...inForce, limits }
      throttle.configure(throttleOptions(limits))
    }
  }

  async function write(key: string, newValue: () => unknown): Promise<ConfigChange> {
    const release = await turns.acquire()
    try {
      const text = textOf(newValue())
      const wanted = configValue(key, text)
      // What cannot be put in force must not get into the file, where the next start would fail at it: neither this value, even
      // where it is overridden now, nor all of them together.
      if (key.startsWith(LIVE_SECTION)) throttleOptions(withLimit(inForce.limits, key, wanted))
      throwProblems(unreadableEntries(key, wanted, 'new value'))
      const changedText = setConfigValue(await readFile(options.file, 'utf8'), key, text)
      const { values, origins } = readAsStart(changedText)
      await writeFileAtomic(options.file, changedText, { durable: true })
      await apply(key, values)
      // A value that the environment or a flag overrides is written and has no effect here.
      const origin = origins.get(key)
      const changed = { key, value: formatConfigValue(key, values) }
      if (origin !== undefined && isOverridden(origin))
        return { ...changed, restartNeeded: false, overriddenBy: origin }
      return { ...changed, restartNeeded: !isLive(key) }
    } finally {
      release()
    }
  }

  return {
    show(): ConfigReply {
      const { next, warnings } = readNext()
      const values = describeConfig().map(({ key, description }) => {
        const later = next === undefined ? undefined : formatConfigValue(key, next.values)
        const value = key === 'log.level' ? logging.level : formatConfigValue(key, inForce)
        // What took effect at once came from where it stands now.
        const from = isLive(key) && later === value ? next : loaded
        const origin = from?.origins.get(key) ?? 'default'
        return {
          key,
          value,
          origin,
          description,
          ...(later === undefined || later === value ? {} : { pending: later })
        }
      })
      return { values, warnings: [...loaded.warnings, ...warnings] }
    },
    set: (key, value) => write(key, () => value),
    edit: (key, change) => write(key, () => change(modules.reload()))
  }
}

type Limits = Config['limits']

/** The schema has checked the value of the key. */
const withLimit = (limits: Limits, key: string, value: unknown): Limits => ({
  ...limits,
  [limitName(key)]: value
})

const limitName = (key: string): keyof Limits => key.slice(LIVE_SECTION.length) as keyof Limits

/** A value of the API in the form in which a person writes it after `--set key=`. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value) && value.every(entry => typeof entry === 'string')) return value.join(',')
  throw new CatalogError('CONFIG_BAD_VALUE', 'a value is text, a number, true, false or a list of texts')
}
