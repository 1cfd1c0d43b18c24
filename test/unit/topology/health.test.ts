import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEALTH_CODES, type HealthReason, healthOf } from '../../../topology/index.ts'
import { anyTold, type Told, viewOf } from './views.ts'

const MB = 1_000_000
const WELL: Told = { roundTripMs: 12, down: 5 * MB }

describe('the health of a peer', () => {
  it('is 1 without a reason for one that does well', () => {
    expect(healthOf(viewOf('peer', WELL))).toEqual({ health: 1, reasons: [] })
  })

  it.each<[HealthReason['code'], Told, string]>([
    ['failing', { failureRate: 0.25 }, '25 % of what it was asked for lately failed'],
    ['away', { way: 'away' }, 'it is not connected now'],
    ['absent', { uptime: 0.4 }, 'it was connected for 40 % of the time since it was met'],
    ['relayed', { way: 'relayed' }, 'it is reached through a relay'],
    ['far', { roundTripMs: 250 }, 'a round trip takes 250 ms'],
    [
      'unsteady',
      { roundTripMs: 12, p95Ms: 400 },
      'round trips take 12 ms, and one in twenty more than 400 ms'
    ],
    ['slow', { down: 20_000 }, 'it sends 20 kB/s']
  ])('says why it is less: %s', (code, told, text) => {
    const { health, reasons } = healthOf(viewOf('peer', { ...WELL, ...told }))
    expect(reasons).toMatchObject([{ code, text }])
    expect(health).toBeLessThan(1)
    expect(health).toBeCloseTo(1 - reasons[0]!.weight)
  })

  it('says that the way to a peer is broken where others reach it, which takes nothing away beside its absence', () => {
    expect(healthOf(viewOf('peer', { ...WELL, way: 'away', isReachedByOthers: true })).reasons).toMatchObject(
      [{ code: 'away' }, { code: 'unreached', weight: 0 }]
    )
  })

  it('says what is not known, which takes nothing away', () => {
    expect(healthOf(viewOf('peer'))).toEqual({
      health: 1,
      reasons: [
        { code: 'unmeasured', text: 'nothing is known of its round trip and how fast it sends', weight: 0 }
      ]
    })
  })

  it('is 1 less its reasons and never less than 0, whatever was measured', () => {
    fc.assert(
      fc.property(anyTold, told => {
        const { health, reasons } = healthOf(viewOf('peer', told))
        const lost = reasons.reduce((sum, { weight }) => sum + weight, 0)
        expect(health).toBeCloseTo(Math.max(0, 1 - lost))
        for (const { code, weight } of reasons) {
          expect(HEALTH_CODES).toContain(code)
          expect(weight).toBeGreaterThanOrEqual(0)
        }
      })
    )
  })
})
