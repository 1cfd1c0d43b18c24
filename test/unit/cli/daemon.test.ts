import { beforeEach, expect, it, vi } from 'vitest'
import { cli } from './support/cli.ts'

const startDaemon = vi.fn(async () => 0)
vi.mock('../../../node/index.ts', async importOriginal => ({
  ...(await importOriginal<object>()),
  startDaemon
}))

beforeEach(() => startDaemon.mockClear())

it.each([
  ['a terminal', [], {}, true, true],
  ['a file', [], {}, false, false],
  ['a terminal with NO_COLOR', [], { NO_COLOR: '1' }, true, false],
  ['a terminal with an empty NO_COLOR, which says nothing', [], { NO_COLOR: '' }, true, true],
  ['a terminal with --color never', ['--color', 'never'], {}, true, false],
  ['--color always', ['--color', 'always'], { NO_COLOR: '1' }, true, true]
])('the log of a daemon on %s', async (_, flags, env, isTTY, colour) => {
  expect((await cli(['daemon', ...flags], { home: '/nonexistent', env, isTTY })).status).toBe(0)
  expect(startDaemon).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ colour }))
})
