import { defineCommand } from '../framework/tree.ts'
import { changeRetention } from './retention.ts'

export const run = defineCommand((context, [spec]: [string], { publisher }: { publisher?: string }) =>
  changeRetention(context, spec, publisher, { method: 'PUT', path: '/v1/releases/pin', done: 'is pinned' })
)
