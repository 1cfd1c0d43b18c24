import { readFile } from 'node:fs/promises'
import { CatalogError, SingleFlight, toCatalogError } from '../../base/index.ts'
import { describeConfig, formatConfigValue, type LoadedConfig, setConfigValue } from '../../config/index.ts'
import { writeFileAtomic } from '../home/atomic-file.ts'
import { isLogLevel } from '../logging/line.ts'
import type { Logging } from '../logging/logging.ts'
import type { ConfigChange, ConfigReply } from '../schemas.ts'
import type { ConfigService } from './types.ts'

export interface ConfigModules {
  loaded: LoadedConfig
  /** Reads the configuration anew, as a start of the daemon would. */
  reload(): LoadedConfig
  logging: Logging
}

/** Keys that take effect at once; every other one waits for the next start. */
const LIVE_KEYS: readonly string[] = ['log.level']

/** The settings in force, and changes to config.toml that keep its comments. */
export function createConfigService(modules: ConfigModules, options: { file: string }): ConfigService {
  const { loaded, logging } = modules
  const writing = new SingleFlight<string, void>({ name: 'config', maxKeys: 1 })

  /** What the next start would read. A file that it would refuse is worth a warning now. */
  function readNext(): { next?: LoadedConfig; warnings: string[] } {
    try {
      return { next: modules.reload(), warnings: [] }
    } catch (thrown) {
      const { code, message } = toCatalogError(thrown)
      return { warnings: [`the next start will fail: ${code}: ${message}`] }
    }
  }

  return {
    show(): ConfigReply {
      const { next, warnings } = readNext()
      const values = describeConfig().map(({ key, description }) => {
        const later = next === undefined ? undefined : formatConfigValue(key, next.values)
        const value = key === 'log.level' ? logging.level : formatConfigValue(key, loaded.values)
        // What took effect at once came from where it stands now.
        const from = LIVE_KEYS.includes(key) && later === value ? next : loaded
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
    async set(key, value): Promise<ConfigChange> {
      const text = textOf(value)
      await writing.run(`${key}=${text}`, async () => {
        const before = await readFile(options.file, 'utf8')
        await writeFileAtomic(options.file, setConfigValue(before, key, text), { durable: true })
      })
      const { values, origins } = modules.reload()
      const inForce = formatConfigValue(key, values)
      if (key === 'log.level' && isLogLevel(inForce)) logging.level = inForce
      // A value that the environment or a flag overrides is written and has no effect here.
      const overridden = !(origins.get(key) ?? '').startsWith('file:')
      return { key, value: inForce, restartNeeded: !overridden && !LIVE_KEYS.includes(key) }
    }
  }
}

/** A value of the API in the form in which a person writes it after `--set key=`. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value) && value.every(entry => typeof entry === 'string')) return value.join(',')
  throw new CatalogError('CONFIG_BAD_VALUE', 'a value is text, a number, true, false or a list of texts')
}
