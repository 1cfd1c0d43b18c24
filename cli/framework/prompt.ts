import { CatalogError } from '../../base/index.ts'
import type { Context } from './context.ts'
import { interrupted } from './interrupt.ts'

const ENTER = new Set(['\r', '\n', '\u0004'])
const INTERRUPT = '\u0003'
const BACKSPACE = new Set(['\u007f', '\b'])

/** Whether somebody sits at the terminal and may be asked. */
export function canPrompt(context: Context): boolean {
  return context.io.stdin?.isTTY === true && context.io.stderr.isTTY === true && !context.output.json
}

/** Asks on the terminal for something secret: nothing is echoed. Throws ABORTED on Ctrl-C, and what ends the command. */
export async function promptSecret(context: Context, question: string): Promise<string> {
  const { signal } = context
  const { stdin, stderr } = context.io
  if (stdin === undefined) throw new CatalogError('KEY_LOCKED', 'there is no terminal to ask on')
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    let typed = ''
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const onData = (data: Buffer): void => {
      for (const character of data.toString('utf8')) {
        if (character === INTERRUPT || ENTER.has(character)) {
          end(() => (character === INTERRUPT ? reject(interrupted('SIGINT')) : resolve(typed)))
          return
        }
        typed = BACKSPACE.has(character) ? typed.slice(0, -1) : typed + character
      }
    }
    const onAbort = (): void => end(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort)
    stderr.write(question)
    stdin.setRawMode(true)
    stdin.resume()
    stdin.on('data', onData)
  })
}
