import { defineCommand } from '../framework/tree.ts'
import { setState } from './set-state.ts'

export const run = defineCommand(context => setState(context, '/v1/pause'))
