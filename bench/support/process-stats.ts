/** CPU time and memory of another process, from Linux's /proc. */
import { readFileSync, writeFileSync } from 'node:fs'

/** /proc/PID/stat counts in clock ticks; Linux fixes the user-visible tick at 100 Hz. */
const TICK_MS = 10

export interface ProcessStats {
  cpuMs: number
  /** Of its children that have ended. */
  childrenCpuMs: number
  rssMb: number
  /** Anonymous memory: what the process itself allocated, without file pages. */
  rssAnonMb: number
  /** The highest RSS since the process began or since `resetPeak`. */
  peakRssMb: number
}

const kibField = (status: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
const toMb = (kib: number): number => Math.round((kib * 1024) / 1e5) / 10

export const processStats = (pid: number): ProcessStats => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    childrenCpuMs: (Number(fields[13]) + Number(fields[14])) * TICK_MS,
    rssMb: toMb(kibField(status, 'VmRSS')),
    rssAnonMb: toMb(kibField(status, 'RssAnon')),
    peakRssMb: toMb(kibField(status, 'VmHWM'))
  }
}

/** Has the peak begin again at what the process uses now. */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')
