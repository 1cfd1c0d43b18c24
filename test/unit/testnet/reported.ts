/** A result in which there is one of everything. */
import type { ScenarioResult } from '../../../testnet/scenarios/index.ts'

export const RESULT: ScenarioResult = {
  scenario: 'flash-crowd',
  description: 'Everybody wants one release at once.',
  driver: 'netns',
  topology: 'mesh',
  seed: '7',
  startedAt: '2026-01-02T03:04:05.678Z',
  tookMs: 61_000,
  state: 'failed',
  reason: 'a step failed',
  steps: [
    { name: 'publish', state: 'passed', tookMs: 1500 },
    { name: 'fetch <all> & "quote"', state: 'failed', tookMs: 59_000, error: 'TIMEOUT: nobody\nanswered' },
    { name: 'compare', state: 'skipped', tookMs: 0 }
  ],
  figures: { fetch: { unit: 'ms', count: 200, p50: 120, p95: 900, p99: 1400 } },
  faults: [
    { kind: 'loss', description: '5 % between eu and us', appliedAtMs: 2000, revertedAtMs: 30_000 },
    { kind: 'pause', description: 'mirror-1', appliedAtMs: 40_000, error: 'it has ended' }
  ],
  nodes: [
    { name: 'seed-1', role: 'seed', region: 'eu', state: 'running', peers: 3, releases: 1, rssBytes: 90e6 },
    { name: 'mirror-1', role: 'mirror', region: 'us', state: 'stopped' }
  ]
}

export const PASSED: ScenarioResult = {
  ...RESULT,
  state: 'passed',
  steps: RESULT.steps.slice(0, 1),
  faults: RESULT.faults.slice(0, 1)
}
