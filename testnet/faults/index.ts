/** Faults as data (`fault.ts`), how each is done and undone (`catalogue.ts`), and when (`schedule.ts`). */
export { type ActiveFault, ActiveFaults } from './active-faults.ts'
export { describeFault, type Fault, type FaultKind } from './fault.ts'
export { runSchedule, type ScheduledFault, type ScheduleOptions, scheduleFaults } from './schedule.ts'
