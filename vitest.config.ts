import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** `.ci/run` sets it and sums the counts of all tiers from the reports. */
const reportFolder = process.env.TEST_REPORT_DIR
const report: [string, object][] =
  reportFolder === undefined
    ? []
    : [['json', { outputFile: join(reportFolder, `vitest-${process.pid}.json`) }]]

/** They replace modules or timers under what they test, so each has a process to itself. */
const REPLACING = ['base/clock', 'cli/daemon', 'content/reader', 'quic/muxer', 'trust/durability'].map(
  file => `test/unit/${file}.test.ts`
)

export default defineConfig({
  test: {
    setupFiles: 'test/equal-bytes.setup.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: REPLACING,
          globalSetup: 'test/worker.setup.ts',
          // Importing libp2p and what is built on it takes longer than most files of tests: a process does it once, for all files that it runs.
          isolate: false
        }
      },
      {
        extends: true,
        test: { name: 'replacing', include: REPLACING }
      },
      {
        extends: true,
        test: {
          name: 'program',
          include: ['test/{daemon,net,adversary}/**/*.test.ts'],
          globalSetup: 'test/program.setup.ts'
        }
      }
    ],
    // Native addons (QUIC, LevelDB) and signals need processes of their own, not threads.
    pool: 'forks',
    // Daemons mostly wait: on two cores three files at once take less time than two, or than one, which is what vitest would do.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // Daemons start in well under a second; on a machine with ten times more to do than it has cores, in 20 s.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    teardownTimeout: 10_000,
    reporters: ['default', ...report]
  }
})
