/** Checks of the machine that need no daemon: the node makes them from inside, the command line when none runs. */
import { type Clock, displaySize, GIB, plural } from '../../base/index.ts'
import { DISK_HEADROOM_BYTES, type Holdings } from '../../library/index.ts'
import type { DoctorCheck } from '../schemas.ts'

/** What one check found. */
export type Finding = Omit<DoctorCheck, 'name' | 'ok'>

/** One fetch of a large release fills this. */
export const LOW_DISK_BYTES = GIB
/** The versions that are tested. */
const MIN_NODE = [24, 15] as const
/** No clock that is right shows an earlier time than this release's. */
const RELEASE_MS = Date.UTC(2026, 0, 1)
const MORE_ROOM = 'free space, or move the home to a larger disk'

export const ok = (message: string): Finding => ({ level: 'ok', message })
export const warn = (message: string, hint: string): Finding => ({ level: 'warn', message, hint })
export const bad = (message: string, hint: string): Finding => ({ level: 'error', message, hint })

/** A finding under its name, as it is shown. */
export const checkOf = (name: string, finding: Finding): DoctorCheck => ({
  name,
  ok: finding.level !== 'error',
  ...finding
})

export function nodeCheck(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [wantedMajor, wantedMinor] = MIN_NODE
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return ok(`Node ${version}`)
  return warn(`Node ${version} is not tested`, `use Node ${wantedMajor}.${wantedMinor} or newer`)
}

/** The store has two limits: below one the next large fetch may fail, below the other it takes nothing. */
export function diskCheck({ freeBytes, totalBytes }: { freeBytes: number; totalBytes: number }): Finding {
  const message = `${displaySize(freeBytes)} free of ${displaySize(totalBytes)}`
  if (freeBytes < DISK_HEADROOM_BYTES)
    return bad(
      `${message}: the store takes nothing more, it leaves ${displaySize(DISK_HEADROOM_BYTES)} to its index`,
      MORE_ROOM
    )
  return freeBytes < LOW_DISK_BYTES ? warn(message, MORE_ROOM) : ok(message)
}

export function clockCheck(clock: Pick<Clock, 'now'>): Finding {
  const now = new Date(clock.now()).toISOString()
  return clock.now() < RELEASE_MS
    ? bad(`the clock says ${now}`, 'set the clock: sequence numbers and expiries depend on it')
    : ok(`the clock says ${now}`)
}

/** The last whole check of everything at rest. */
export interface LastScrub {
  endedAt: string
  corrupt: number
}

/** Whether what was whole still is, as far as is known without hashing it all. */
export function integrityCheck({ complete, damaged, isUnchecked }: Holdings, scrub?: LastScrub): Finding {
  const checked =
    scrub === undefined
      ? 'never hashed as a whole yet'
      : `hashed as a whole until ${scrub.endedAt}, ${plural(scrub.corrupt, 'damaged block')} found`
  if (damaged > 0)
    return bad(
      `blocks are missing from ${damaged} of ${plural(complete + damaged, 'content')} once whole; ${checked}`,
      'run `catalog verify --all --repair`: it names them and fetches what is wrong from other nodes. A disk that rots once does so again'
    )
  if (isUnchecked)
    return warn(
      `a damaged block was found, and what needs it is still being looked for; ${checked}`,
      'run `catalog verify --all --repair`'
    )
  return ok(`${plural(complete, 'content')} whole; ${checked}`)
}
