import { expect, it } from 'vitest'
import { type FetchJob, FetchJobs } from '../../../node/services/fetch-jobs.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'

const JOB: FetchJob = {
  id: 'bafy',
  name: 'demo',
  version: '1.0.0',
  isClosed: true,
  startedAt: 1000,
  priority: 'low'
}
const signal = new AbortController().signal

it('a job that is left is there for the next try, as old as it is', async () => {
  const jobs = new FetchJobs({ database: new MemoryDatabase() })
  await jobs.begin(JOB, signal)
  expect(jobs.isUnderWay('bafy')).toBe(true)
  jobs.leave('bafy')
  expect(jobs.isUnderWay('bafy')).toBe(false)
  await jobs.begin({ ...JOB, startedAt: 2000, priority: 'high' }, signal)
  expect(await jobs.unfinished(signal)).toEqual([{ ...JOB, priority: 'high' }])
  await jobs.end('bafy')
  expect(await jobs.unfinished(signal)).toEqual([])
})
