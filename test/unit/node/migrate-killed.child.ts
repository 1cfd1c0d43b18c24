/** Migrates a home, and is killed at the batch of that number: `migrate-killed.child.ts HOME BATCH`. */
import { ClassicLevel } from 'classic-level'
import { migrate } from '../../../node/home/format.ts'
import { homeLayout } from '../../../node/home/layout.ts'

const [root = '', number = ''] = process.argv.slice(2)
const original = ClassicLevel.prototype.batch as (operations: unknown, options: unknown) => Promise<void>
let seen = 0
ClassicLevel.prototype.batch = async function (this: ClassicLevel, ...given: [unknown, unknown]) {
  if (++seen === Number(number)) process.kill(process.pid, 'SIGKILL')
  await original.apply(this, given)
} as never

await migrate(homeLayout(root))
