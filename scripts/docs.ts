/**
 * Writes the documents that are made from code: docs/configuration.md and docs/config.schema.json from the
 * configuration's schema, docs/errors.md from the table of error codes, docs/alerts.md from the rules of alerts, docs/metrics.md from the table of metrics, docs/openapi.json from the routes of the admin
 * API. `--check` writes nothing and exits 1 on drift.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ALL_METRICS, displayDuration, ERROR_CODES, METRIC_PARTS, metricName } from '../base/index.ts'
import { cliPage } from '../cli/index.ts'
import { CONFIG_SECTIONS, configJsonSchema, describeConfig } from '../config/index.ts'
import { ALERT_RULES, adminApiDocument } from '../node/index.ts'

const DOCS = resolve(import.meta.dirname, '../docs')
const MADE_BY = '<!-- Made by `npm run generate`; change the source named below, not this file. -->'

/** Cells must not break out of their table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (text: string): string => (text === '' ? '(empty)' : `\`${text}\``)

function configurationPage(): string {
  const lines = [
    '# Configuration',
    '',
    MADE_BY,
    '<!-- Source: config/schema/ -->',
    '',
    'A value comes from the first of these that sets it: a flag (`--set key=value`), the environment, `config.toml` in the',
    'home, the profile (`network.profile`), the default. `catalog config show` prints every effective value with its origin,',
    '`catalog config validate FILE` checks a file, and an editor can use [config.schema.json](config.schema.json).',
    '',
    '- **File**: TOML; `store.quota` is `quota` in the table `[store]`. Durations and sizes are strings (`"5m"`, `"10MiB"`); a',
    '  size may also be a number of bytes.',
    '- **Environment**: `CATALOG_`, then the key in upper case with `_` for the dot and before each capital:',
    '  `network.maxConnections` is `CATALOG_NETWORK_MAX_CONNECTIONS`. Lists are separated by commas.',
    '- **Durations**: `300ms`, `10s`, `5m`, `1h30m`, `7d`. **Sizes**: `4096`, `64KiB`, `10MB`, `1GiB` (kB, MB, GB, TB are powers of',
    '  1000, KiB, MiB, GiB, TiB of 1024). **Rates**: a size per second, `10MB/s`.',
    '- Unknown keys and bad values are errors, all reported together. What is allowed but hardly meant is a warning.',
    '- *Reserved* keys belong to features of later releases: setting them is allowed, has no effect and warns. So are the',
    '  tables `[plugins]` and `[[plugins.register]]`.'
  ]
  const rows = describeConfig()
  for (const { section, description } of CONFIG_SECTIONS) {
    lines.push(
      '',
      `## \`[${section}]\``,
      '',
      description,
      '',
      '| key | default | rule | meaning |',
      '| --- | --- | --- | --- |'
    )
    for (const row of rows.filter(({ key }) => key.startsWith(`${section}.`))) {
      const profiles = Object.entries(row.profiles).map(([name, value]) => `; ${name}: ${code(value)}`)
      const cells = [code(row.key), `${code(row.default)}${profiles.join('')}`, row.rule, row.description]
      lines.push(`| ${cells.map(cell).join(' | ')} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

function errorsPage(): string {
  const lines = [
    '# Error codes',
    '',
    MADE_BY,
    '<!-- Source: base/errors.ts -->',
    '',
    'A code is stable; messages are not. The command line prints `catalog: CODE: what happened; what to do` and exits with the',
    'status below, the admin API answers with the HTTP status and `{"error":{"code","message","hint","details"}}`, and the',
    'wire status is what a peer is told.',
    '',
    '| code | meaning | what to do | exit | HTTP | wire |',
    '| --- | --- | --- | --- | --- | --- |'
  ]
  for (const [name, row] of Object.entries(ERROR_CODES)) {
    const cells = [code(name), row.meaning, row.hint, String(row.exit), String(row.http), String(row.wire)]
    lines.push(`| ${cells.map(cell).join(' | ')} |`)
  }
  return `${lines.join('\n')}\n`
}

/** How long something must hold, as people say it. */
const durationText = (durationMs: number): string =>
  durationMs === 0 ? 'at once' : displayDuration(durationMs)

function alertsPage(): string {
  const lines = [
    '# Alerts',
    '',
    MADE_BY,
    '<!-- Source: node/services/alerts/rules.ts -->',
    '',
    'What an operator must act on. An alert is raised once, when what the table says has held for so long, and cleared once, a minute after it',
    'is over: an event of type `alert` (`GET /v1/events`, `data.state` is `raised` or `cleared`), a line of the log, and while it',
    'holds an entry in `alerts` of `GET /v1/status`, which `catalog status` shows.',
    '',
    '| alert | level | when | held for | what to do |',
    '| --- | --- | --- | --- | --- |'
  ]
  for (const [kind, { level, when, afterMs, hint }] of Object.entries(ALERT_RULES))
    lines.push(`| ${[code(kind), level, when, durationText(afterMs), hint].map(cell).join(' | ')} |`)
  return `${lines.join('\n')}\n`
}

function metricsPage(): string {
  const lines = [
    '# Metrics',
    '',
    MADE_BY,
    '<!-- Source: base/metrics/ -->',
    '',
    'All metrics of a node, in the text format of Prometheus: `curl --unix-socket $CATALOG_HOME/admin.sock http://x/metrics`.',
    'Names are `catalog_<part>_<what>_<unit>`; counters end in `_total`. Values are read when they are asked for, so asking seldom',
    'costs nothing. Labels come from small fixed sets: never names of packages, keys, peers or addresses. [operations.md](operations.md) says',
    'how to have Prometheus ask; dashboards and alert rules are in `deploy/`.'
  ]
  const section = (title: string, about: string, prefix: string): void => {
    lines.push(
      '',
      `## ${title}`,
      '',
      about,
      '',
      '| metric | type | meaning | look when |',
      '| --- | --- | --- | --- |'
    )
    for (const [name, { type, help, labels, lookWhen = '', only }] of Object.entries(ALL_METRICS)) {
      if (!name.startsWith(prefix)) continue
      const labelled = labels.length === 0 ? '' : `{${labels.join(',')}}`
      const condition = only === undefined ? '' : ` Only with ${only.includes('=') ? code(only) : only}.`
      lines.push(`| ${[code(name + labelled), type, help + condition, lookWhen].map(cell).join(' | ')} |`)
    }
  }
  for (const [part, about] of Object.entries(METRIC_PARTS)) section(code(part), about, metricName(part, ''))
  section('libp2p', "libp2p's own, by its names, beside those of Catalog.", 'libp2p_')
  return `${lines.join('\n')}\n`
}

const pages: Record<string, string> = {
  'alerts.md': alertsPage(),
  'cli.md': cliPage(`${MADE_BY}\n<!-- Source: cli/commands/ -->`),
  'configuration.md': configurationPage(),
  'config.schema.json': `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'errors.md': errorsPage(),
  'metrics.md': metricsPage(),
  'openapi.json': `${JSON.stringify(adminApiDocument(), null, 2)}\n`
}
const check = process.argv.includes('--check')
for (const [name, text] of Object.entries(pages)) {
  const path = join(DOCS, name)
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
  if (!check) {
    writeFileSync(path, text)
    console.log(`wrote docs/${name}`)
    continue
  }
  console.error(`docs/${name} differs from its source: run \`npm run generate\` and commit the result`)
  process.exitCode = 1
}
