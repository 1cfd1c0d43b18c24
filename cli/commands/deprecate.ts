import { changeStatus } from './status-change.ts'

export const run = changeStatus('deprecated')
