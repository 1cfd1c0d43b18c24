import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALL_METRICS } from '../../../base/index.ts'

const DEPLOY = resolve(import.meta.dirname, '../../../deploy')
const DOCS = resolve(import.meta.dirname, '../../../docs')
const dashboards = globSync('grafana/*.json', { cwd: DEPLOY })
const rules = ['prometheus/alerts.yml', 'prometheus/recording.yml']
const read = (path: string): string => readFileSync(resolve(DEPLOY, path), 'utf8')
/** What recording.yml adds to the metrics of nodes. */
const recorded = new Set(
  [...read('prometheus/recording.yml').matchAll(/record: (\S+)/g)].map(([, name]) => name)
)

/** Metrics that are named anywhere in a text, and are neither in the table nor recorded. */
function unknownMetrics(text: string): string[] {
  const named = text.match(/\b(?:(?:catalog|libp2p)_[a-z0-9_]+|catalog:[a-z0-9_:]+)/g) ?? []
  return named.filter(name => {
    const [family = '', part] = name.split(/_(bucket|sum|count)$/)
    const row = ALL_METRICS[family]
    return !recorded.has(name) && (part === undefined ? row === undefined : row?.type !== 'histogram')
  })
}

/** Commands with options, and settings, that an operator is told of and that there are not. */
function unknownAdvice(text: string): string[] {
  const sections = readFileSync(resolve(DOCS, 'cli.md'), 'utf8').split(/^### `/m)
  const settings = readFileSync(resolve(DOCS, 'configuration.md'), 'utf8')
  const isKnown = (said: string): boolean => {
    if (!said.startsWith('catalog ')) return settings.includes(`| \`${said}\` |`)
    const [command, ...options] = said.split(' --')
    const section = sections.find(one => one.split(/ [[<]|`/, 1)[0] === command)
    return section !== undefined && options.every(option => RegExp(`\`--${option}[ \`]`).test(section))
  }
  return [...text.matchAll(/`([^`]+)`/g)].map(([, said]) => said!).filter(said => !isKnown(said))
}

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

describe('dashboards', () => {
  test.each(dashboards)('%s asks for metrics that there are', path => {
    const { title, uid, panels } = JSON.parse(read(path))
    expect([typeof title, uid]).toEqual(['string', `catalog-${path.replace(/^grafana\/|\.json$/g, '')}`])
    expect(panels.length).toBeGreaterThan(5)
    const ids = panels.map(({ id }: { id: number }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(unknownMetrics(read(path))).toEqual([])
  })

  test.skipIf(!hasPromtool)('ask in PromQL (skipped without promtool, of the package prometheus)', () => {
    const expressions = dashboards.flatMap(path =>
      JSON.parse(read(path)).panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
        targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'))
      )
    )
    const group = {
      name: 'dashboards',
      rules: expressions.map((expr, at) => ({ record: `panel:${at}`, expr }))
    }
    // JSON is YAML; this promtool reads files only.
    const folder = mkdtempSync(join(tmpdir(), 'catalog-rules-'))
    try {
      const file = join(folder, 'rules.json')
      writeFileSync(file, JSON.stringify({ groups: [group] }))
      execFileSync('promtool', ['check', 'rules', '--lint=none', file], { stdio: 'pipe' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('rules of Prometheus', () => {
  test.each(rules)('%s asks for metrics that there are', path => {
    expect(unknownMetrics(read(path))).toEqual([])
  })

  test('say what to do', () => {
    const alerts = read('prometheus/alerts.yml').split('- alert: ').slice(1)
    expect(alerts.length).toBeGreaterThan(10)
    for (const alert of alerts)
      for (const field of ['severity:', 'summary:', 'action:', 'for:']) expect(alert).toContain(field)
  })

  test('name commands, options and settings that there are', () => {
    const advice = read('prometheus/alerts.yml')
      .match(/(summary|action): .*/g)!
      .join('\n')
    expect(advice.match(/`/g)!.length).toBeGreaterThan(20)
    expect(unknownAdvice(advice)).toEqual([])
    const wrong = ['catalog logs', 'catalog log --error', 'catalog peers', 'store.size']
    expect(unknownAdvice(wrong.map(one => `\`${one}\``).join())).toEqual(wrong)
  })

  test('and so does the table of metrics', () => {
    const advice = Object.values(ALL_METRICS).map(({ lookWhen = '' }) => lookWhen)
    const commands = advice.flatMap(text => text.match(/`catalog [^`]+`/g) ?? [])
    expect(commands.length).toBeGreaterThan(5)
    expect(unknownAdvice(commands.join())).toEqual([])
  })

  test.skipIf(!hasPromtool)('are right (skipped without promtool, of the package prometheus)', () => {
    execFileSync('promtool', ['check', 'config', 'prometheus.yml'], {
      cwd: resolve(DEPLOY, 'prometheus'),
      stdio: 'pipe'
    })
  })
})
