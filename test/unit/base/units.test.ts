import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  displayDuration,
  displayShare,
  displaySize,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  plural
} from '../../../base/index.ts'

describe('durations', () => {
  test.each([
    ['0', 0],
    ['300ms', 300],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['1.5s', 1500],
    ['0.1s', 100],
    ['1h0m5s', 3_605_000]
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    '',
    '5',
    '5 m',
    'm',
    '-5m',
    '5x',
    '30m1h',
    '5m5m',
    '1.2345ms',
    '5m ',
    '1e3s',
    `${'9'.repeat(30)}d`,
    'NaNs'
  ])("'%s' is refused", text => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  test('what is written can be read back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), ms => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      })
    )
  })
})

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['10B', 10],
    ['64KiB', 65_536],
    ['64kb', 64_000],
    ['10MB', 10_000_000],
    ['10mib', 10_485_760],
    ['1GiB', 1_073_741_824],
    ['1.5 GB', 1_500_000_000]
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each(['', 'MB', '-1', '10 XB', '1.5B', '0x10', '10MiBs', '10,5MB', `${'9'.repeat(30)}`, ' 1'])(
    "'%s' is refused",
    text => {
      expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  )

  test('what is written can be read back', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.nat(4000).map(n => n * 1024 * 1000)
        ),
        bytes => {
          expect(parseSize(formatSize(bytes))).toBe(bytes)
        }
      )
    )
    expect([formatSize(10_485_760), formatSize(256_000_000), formatSize(1001)]).toEqual([
      '10MiB',
      '256MB',
      '1001B'
    ])
  })
})

test('what people read has three digits', () => {
  expect([0, 999, 1000, 1_536_000, 12_345_678, 2e9].map(displaySize)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '1.54 MB',
    '12.3 MB',
    '2 GB'
  ])
  expect([0, 0.954, 1].map(displayShare)).toEqual(['0 %', '95 %', '100 %'])
  expect([0, 12, 3412, 59_960, 312_400, 7_384_000].map(displayDuration)).toEqual([
    '0 ms',
    '12 ms',
    '3.41 s',
    '60.0 s',
    '5m12s',
    '2h3m4s'
  ])
})

test.each([
  [0, '0 files'],
  [1, '1 file'],
  [2, '2 files'],
  [12_345, '12,345 files']
])('%d is told as %s', (count, text) => {
  expect(plural(count, 'file')).toBe(text)
})
