import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** `.ci/run` sets it and sums the counts of all tiers from the reports. */
const reportFolder = process.env.TEST_REPORT_DIR
const report: [string, object][] =
  reportFolder === undefined
    ? []
    : [['json', { outputFile: join(reportFolder, `vitest-${process.pid}.json`) }]]

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native addons (QUIC, LevelDB) and signals need processes of their own, not threads.
    pool: 'forks',
    // Daemons start in well under a second; the rest is head-room for a loaded machine.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    reporters: ['default', ...report]
  }
})
