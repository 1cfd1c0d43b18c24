/** A whole daemon raises an anomaly. It takes minutes of samples, so its monotonic clock is moved on between batches of them; all else is real. */
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { loadConfig } from '../../../config/index.ts'
import { BATCH_MS } from '../../../node/anomalies/batches.ts'
import { createDaemon } from '../../../node/daemon.ts'
import { openHome } from '../../../node/home/home.ts'
import { initHome } from '../../../node/index.ts'
import { createLogging } from '../../../node/logging/logging.ts'
import { askAdmin } from '../../../testnet/drivers/admin.ts'
import { eventually } from '../../eventually.ts'

/** What is usual is known after 16 batches; an anomaly begins with the third that is not, and ends with as many. */
const LEARNT = 16
const TOLD = 3
/** Samples of failures in one. */
const SAMPLES = 16

it('tells of operations that begin to fail, as event, status, metric and warning, until they no longer do', async () => {
  const root = await mkdtemp(join(tmpdir(), 'catalog-anomaly-'))
  await initHome({ clock: systemClock }, { root })
  const home = await openHome(root)
  const flags = { 'network.listen': '/ip4/127.0.0.1/udp/0/quic-v1', 'mdns.enabled': 'false' }
  const config = loadConfig({ file: home.config, flags })
  let aheadMs = 0
  const clock = { ...systemClock, monotonicMs: () => performance.now() + aheadMs }
  const lines: string[] = []
  const sink = { write: (line: string) => void lines.push(line), close: async () => {} }
  const logging = createLogging({ sink }, { level: 'warn' })
  const daemon = await createDaemon({ logging, clock }, { home, config, reloadConfig: () => config })
  try {
    const ask = async (method: string, path: string, body?: unknown) =>
      await askAdmin(home.socket, { method, path, body })
    const verify = async (spec?: string): Promise<string> => {
      const { json } = await ask('POST', '/v1/verifications', spec === undefined ? {} : { spec })
      const ended = await ask('GET', `/v1/operations/${json.operation.id}?wait=20000`)
      return ended.json.operation.state
    }
    const run = async (batches: number, state: 'done' | 'failed'): Promise<void> => {
      for (let batch = 0; batch < batches; batch++)
        for (let sample = 0; sample < SAMPLES; sample++) {
          // The last one of a batch comes late enough.
          if (sample === SAMPLES - 1) aheadMs += BATCH_MS
          expect(await verify(state === 'done' ? undefined : 'nobody/nothing@1.0.0')).toBe(state)
        }
    }
    const anomalies = async () => (await ask('GET', '/v1/status')).json.anomalies

    const events: string[] = []
    const stream = get({ socketPath: home.socket, path: '/v1/events' }, response => {
      response.on('data', chunk => events.push(String(chunk))).on('error', () => undefined)
    }).on('error', () => undefined)

    await run(LEARNT, 'done')
    await run(TOLD - 1, 'failed')
    expect(await anomalies()).toEqual([])
    await run(1, 'failed')
    expect(await anomalies()).toMatchObject([{ series: 'verify-failures', usual: 0, now: 1 }])
    await eventually(() =>
      /"type":"anomaly".*"state":"began".*"series":"verify-failures"/.test(events.join(''))
    )
    const metrics = (await ask('GET', '/metrics')).bytes.toString()
    expect(metrics).toContain('catalog_anomaly_began_anomalies_total{series="verify-failures"} 1')
    expect(lines.join('')).toMatch(
      /verifications that fail are 100 % instead of 0 %.*something is other than usual/
    )

    await run(TOLD, 'done')
    expect(await anomalies()).toEqual([])
    await eventually(() =>
      /"type":"anomaly".*"state":"ended".*"series":"verify-failures"/.test(events.join(''))
    )
    stream.destroy()
  } finally {
    await daemon.stop('test')
    await rm(root, { recursive: true, force: true })
  }
})
