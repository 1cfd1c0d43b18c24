import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import {
  configJsonSchema,
  configTemplate,
  describeConfig,
  envName,
  formatConfigValue,
  loadConfig,
  validateConfigFile
} from '../../../config/index.ts'
import { CONFIG_KEYS, KEYS_BY_ENV } from '../../../config/keys.ts'
import { editDistance, nearest } from '../../../config/nearest.ts'
import { formatToml, formatValue, ruleOf, valueFromRaw, valueFromText } from '../../../config/values.ts'

const KEYS = [...CONFIG_KEYS.values()].map(key => [key.key, key] as const)

describe.each(KEYS)('%s', (_name, { schema, default: fallback }) => {
  const defaults = [fallback, ...Object.values(schema.profiles ?? {})]

  test('its defaults keep its own rule, written as text and as TOML', () => {
    for (const value of defaults) {
      expect(valueFromText(schema, formatValue(schema, value))).toEqual(value)
      const written = parse(`x = ${formatToml(schema, value)}`) as { x: unknown }
      expect(valueFromRaw(schema, written.x)).toEqual(value)
    }
  })

  test('is described by a sentence and a rule', () => {
    expect(schema.description).toMatch(/^[A-Z`].*[.)]$/s)
    expect(ruleOf(schema).length).toBeGreaterThan(5)
  })
})

test('environment names follow from keys and are unique', () => {
  expect(envName('store.quota')).toBe('CATALOG_STORE_QUOTA')
  expect(envName('network.maxInboundPerAddress')).toBe('CATALOG_NETWORK_MAX_INBOUND_PER_ADDRESS')
  expect(KEYS_BY_ENV.size).toBe(CONFIG_KEYS.size)
})

test('the defaults that the design names', () => {
  const row = (key: string): string | undefined => describeConfig().find(found => found.key === key)?.default
  const named = {
    'network.maxConnections': '300',
    'network.peersWanted': '100',
    'quic.maxIdleTimeout': '10s',
    'quic.keepAliveInterval': '3s',
    'memory.network': '256MB',
    'mirror.target': '3',
    'mirror.quota': '10GB',
    'sync.interval': '5m',
    'cache.size': '1GiB',
    'operations.max': '1000',
    'security.minTrustScore': '0.7'
  }
  for (const [key, value] of Object.entries(named)) expect([key, row(key)]).toEqual([key, value])
})

test('the template is the default configuration, and stays so with every line in force', () => {
  expect(validateConfigFile(configTemplate())).toEqual({ problems: [], warnings: [] })
  const inForce = configTemplate().replace(/^# (\w+ = .*)$/gm, '$1')
  expect(inForce).toContain('\nquota = "100GB"')
  expect(validateConfigFile(inForce)).toEqual({ problems: [], warnings: [] })
  expect(configTemplate()).not.toContain('[cache]')
})

test('an effective value is shown as a person writes it', () => {
  const { values } = loadConfig({ flags: { 'store.quota': '100MiB' } })
  expect(formatConfigValue('store.quota', values)).toBe('100MiB')
  expect(formatConfigValue('operations.timeout', values)).toBe('5m')
  expect(formatConfigValue('log.level', values)).toBe('info')
})

test('the documents are those of this schema', () => {
  const docs = join(import.meta.dirname, '../../../docs')
  const schema = readFileSync(join(docs, 'config.schema.json'), 'utf8')
  expect(JSON.parse(schema)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
  const page = readFileSync(join(docs, 'configuration.md'), 'utf8')
  for (const { key } of describeConfig()) expect(page).toContain(`| \`${key}\` |`)
})

describe('nearest', () => {
  test.each([
    ['store.qouta', 'store.quota'],
    ['network.maxconnections', 'network.maxConnections'],
    ['network.maxConections', 'network.maxConnections'],
    ['something.else', undefined],
    ['x'.repeat(5000), undefined]
  ])('%s means %s', (word, meant) => {
    expect(nearest(word, CONFIG_KEYS.keys())).toBe(meant)
  })

  test('distance counts insertions, deletions, substitutions and swaps', () => {
    expect(['abc', 'ab', 'abcd', 'axc', 'acb', 'xyz', ''].map(word => editDistance('abc', word))).toEqual([
      0, 1, 1, 1, 1, 3, 3
    ])
  })
})
