/** `npm run testnet -- COMMAND`: a network of many nodes on this machine, to be hurt and watched (docs/testnet.md). `--help` says more. */
import {
  DRIVERS,
  defaultFolder,
  isScenarioFile,
  loadScenario,
  SCENARIOS,
  TOPOLOGIES
} from '../testnet/index.ts'
import { down, runOne, status, up } from './testnet/commands.ts'
import { readWords, runProgram, usageOf } from './testnet/program.ts'

const USAGE = `npm run testnet -- COMMAND [options]

  up                  starts a network and leaves it running
  status              its nodes: role, region, state, peers, releases
  run SCENARIO        runs a scenario on the network that runs, if it fits, or on one of its own; a path, such as ./mine.ts,
                      is a file whose default export is one
  down                removes it, whatever has become of it

  --driver D          ${DRIVERS.join(' or ')}: namespaces of this machine, or containers (netns)
  --topology T        of up: ${TOPOLOGIES.join(', ')} (mesh)
  --regions LIST      of up: names, such as eu,us,ap (eu,us,ap)
  --nodes LIST        of up: how many of which role (seed=1,publisher=2,mirror=3,consumer=2)
  --seed S            of run: any text; decides what is random (1)
  --report DIR        of run: writes the result there, as DIR/SCENARIO.json, .html and .xml (JUnit)
  --baseline FILE     of run: holds what was measured against earlier runs; ends with 1 when it is worse
  --save              of run: adds this run to FILE, if it passed
  --upgrade-to P      of run rolling-restart: the program that nodes restart with; an image, for containers
  --state DIR         where the network is kept (${defaultFolder()})
  --help              prints this

scenarios:
${SCENARIOS.map(({ name, description }) => `  ${name.padEnd(20)}${description}`).join('\n')}
`

const usage: (problem: string) => never = usageOf(USAGE)
const { values, positionals } = readWords(
  {
    allowPositionals: true,
    options: {
      driver: { type: 'string', default: 'netns' },
      topology: { type: 'string', default: 'mesh' },
      regions: { type: 'string', default: 'eu,us,ap' },
      nodes: { type: 'string', default: 'seed=1,publisher=2,mirror=3,consumer=2' },
      seed: { type: 'string', default: '1' },
      report: { type: 'string' },
      baseline: { type: 'string' },
      save: { type: 'boolean', default: false },
      'upgrade-to': { type: 'string' },
      state: { type: 'string', default: defaultFolder() },
      help: { type: 'boolean', default: false }
    }
  },
  usage
)

/** The status with which the process ends. */
async function main(signal: AbortSignal): Promise<number> {
  const [command, word, ...rest] = positionals
  const folder = values.state
  if (values.help) console.log(USAGE)
  if (values.help) return 0
  if (command === undefined) usage('say what to do: up, status, run or down')
  if (rest.length > 0 || (word !== undefined && command !== 'run'))
    usage(`${rest[0] ?? word} is one word too many`)
  switch (command) {
    case 'up':
      return await up({ ...values, folder }, signal)
    case 'status':
      return await status(folder, signal)
    case 'run': {
      if (word === undefined) return usage('say which scenario')
      const shipped = SCENARIOS.find(({ name }) => name === word)
      if (shipped === undefined && !isScenarioFile(word)) return usage(`${word} is no scenario`)
      const scenario = shipped ?? (await loadScenario(word))
      if (values.save && values.baseline === undefined) usage('--save needs --baseline FILE')
      return await runOne(scenario, { ...values, upgradeTo: values['upgrade-to'], folder }, signal)
    }
    case 'down':
      return await down(folder)
    default:
      return usage(`${command} is no command`)
  }
}

await runProgram(
  { name: 'testnet', cleaningUp: 'cleaning up; once more ends it at once, and `down` removes what is left' },
  main
)
