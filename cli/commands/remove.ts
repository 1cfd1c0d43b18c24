import { defineCommand } from '../framework/tree.ts'
import { changeRetention } from './retention.ts'

export const run = defineCommand((context, [spec]: [string], { publisher }: { publisher?: string }) =>
  changeRetention(context, spec, publisher, {
    method: 'DELETE',
    path: '/v1/releases',
    done: 'is removed; `catalog gc` frees its bytes now'
  })
)
