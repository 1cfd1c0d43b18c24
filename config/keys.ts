import type { ConfigValue, Profile, Unit } from './schema/builders.ts'
import { CONFIG_SCHEMA } from './schema/index.ts'

/** The JSON Schema of one value, as the builders make it. */
export interface ValueSchema {
  readonly type?: 'boolean' | 'integer' | 'number' | 'string' | 'array'
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  /** 0 stands for none, also where it is below the minimum. */
  readonly orZero?: boolean
  readonly maxItems?: number
  readonly pattern?: string
  /** The words for `pattern`. */
  readonly rule?: string
  /** Further patterns, each with its words. */
  readonly allOf?: readonly { readonly pattern: string; readonly rule: string }[]
  readonly items?: ValueSchema
  readonly unit?: Unit
  readonly default?: ConfigValue
  readonly description?: string
  readonly profiles?: Partial<Record<Profile, ConfigValue>>
  readonly reservedFor?: string
}

/** One key of the configuration with all that is known about it. */
export interface ConfigKey {
  /** `section.name`, as in `store.quota`. */
  readonly key: string
  readonly section: string
  readonly name: string
  /** Environment variable: `CATALOG_`, then section and name with `_` before each capital, in upper case. */
  readonly env: string
  readonly schema: ValueSchema
  readonly default: ConfigValue
}

interface SectionSchema {
  readonly description?: string
  readonly properties: Record<string, ValueSchema>
}

/** Sections in the order of the schema, with their descriptions. */
export const CONFIG_SECTIONS: readonly { readonly section: string; readonly description: string }[] =
  Object.entries(CONFIG_SCHEMA.properties as unknown as Record<string, SectionSchema>).map(
    ([section, schema]) => ({ section, description: schema.description ?? '' })
  )

/** Every key by its name, in the order of the schema. */
export const CONFIG_KEYS: ReadonlyMap<string, ConfigKey> = new Map(
  Object.entries(CONFIG_SCHEMA.properties as unknown as Record<string, SectionSchema>).flatMap(
    ([section, { properties }]) =>
      Object.entries(properties).map(([name, schema]) => {
        const key = `${section}.${name}`
        return [key, { key, section, name, env: envName(key), schema, default: schema.default! }] as const
      })
  )
)

/** Every key by its environment variable. */
export const KEYS_BY_ENV: ReadonlyMap<string, ConfigKey> = new Map(
  [...CONFIG_KEYS.values()].map(key => [key.env, key])
)

/** `store.quota` is CATALOG_STORE_QUOTA, `network.maxConnections` is CATALOG_NETWORK_MAX_CONNECTIONS. */
export function envName(key: string): string {
  return `CATALOG_${key
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, capital => `_${capital}`)
    .toUpperCase()}`
}
