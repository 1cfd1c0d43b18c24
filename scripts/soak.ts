/** `npm run soak -- --hours H`: eight nodes under load and faults for hours (docs/soak.md). `--help` says more. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOUR_MS } from '../base/index.ts'
import { type Soak, soakScenario } from '../testnet/index.ts'
import { runOnOwn } from './testnet/commands.ts'
import { readWords, runProgram, usageOf } from './testnet/program.ts'

const USAGE = `npm run soak -- --hours H [options]

Eight nodes on this machine under mixed load and faults. Ends with 1 when memory or open files grew, an event loop was held up, a
process ended or an error came that should not, or a copy of a library was not equal to its original at the end.

  --hours H           how long load and faults go on, such as 8 or 0.05; then some minutes for what comes after
  --seed S            any text; decides what users do, and which faults come when (1)
  --report DIR        writes what came of it there: soak.json, .html, .xml (JUnit), and soak.seen.json with all that was seen over time
  --help              prints this
`
/** Less is over before anything is seen; more than a month is a mistake. */
const LEAST_HOURS = 0.01
const MOST_HOURS = 24 * 31

const usage: (problem: string) => never = usageOf(USAGE)
const { values: words } = readWords(
  {
    options: {
      hours: { type: 'string' },
      seed: { type: 'string', default: '1' },
      report: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  },
  usage
)

/** The status with which the process ends. */
async function main(signal: AbortSignal): Promise<number> {
  if (words.help) console.log(USAGE)
  if (words.help) return 0
  if (words.hours === undefined) return usage('say how long: --hours H')
  const hours = Number(words.hours)
  if (!(hours >= LEAST_HOURS && hours <= MOST_HOURS))
    return usage(`--hours ${words.hours} is no number from ${LEAST_HOURS} to ${MOST_HOURS}`)
  const { seed, report } = words
  const soak = soakScenario({ forMs: hours * HOUR_MS, seed, onProgress: line => console.log(`  ${line}`) })
  try {
    const again = `npm run soak -- --hours ${words.hours}`
    return await runOnOwn(soak.scenario, { driver: 'netns', seed, report, save: false, again }, signal)
  } finally {
    tellSeen(soak, report)
  }
}

function tellSeen(soak: Soak, report: string | undefined): void {
  const seen = soak.seen()
  if (seen === undefined) return
  const { outcomes, histories, referenceLoop, messages } = seen
  console.log(
    `\nwhat users did:\n${outcomes
      .lines()
      .map(line => `  ${line}`)
      .join('\n')}`
  )
  const codes = Object.keys(outcomes.failed)
  const failures = Object.fromEntries(codes.map(code => [code, outcomes.messagesOf(code)]))
  if (report === undefined) return
  mkdirSync(report, { recursive: true })
  const nodes = histories.map(history => ({
    name: history.name,
    starts: history.starts,
    ends: history.ends,
    mostFiles: history.mostFiles,
    errors: history.errors(),
    loopP99Ms: history.loop.points,
    lives: history.lives.map(({ uptimeMs, lastAtMs, rss, files }) => ({
      startedAtMs: lastAtMs - uptimeMs,
      rssBytes: rss.points,
      openFiles: files.points
    }))
  }))
  const all = { users: outcomes.lines(), failures, messages, referenceLoopP99Ms: referenceLoop.points, nodes }
  writeFileSync(join(report, 'soak.seen.json'), `${JSON.stringify(all, undefined, 1)}\n`)
}

await runProgram({ name: 'soak', cleaningUp: 'cleaning up; once more ends it at once' }, main)
