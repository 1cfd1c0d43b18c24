/** Results of scenarios for people (one HTML page) and for programs that show tests (JUnit XML). */
export { htmlReport } from './html.ts'
export { junitReport } from './junit.ts'
export type { ReportedRun } from './reported-run.ts'
