import { expect, test } from 'vitest'
import { runTool } from '../../../testnet/run-tool.ts'

const running = (script: string) => () => runTool('sh', ['-c', script])

test('a tool that Ctrl-C ended was aborted; one that failed has its words told', () => {
  expect(running('exit 0')).not.toThrow()
  expect(running('kill -INT $$')).toThrow(expect.objectContaining({ code: 'ABORTED' }))
  expect(running('echo no such device >&2; exit 2')).toThrow(/no such device/)
  expect(() => runTool('/nowhere/tool', [])).toThrow(/ENOENT/)
})
