import { MIB } from '../base/index.ts'

/** What a newcomer may take before it falls behind: a dozen packages, and less than what a new identity costs in handshakes and look-ups. */
export const PRIOR_BYTES = 64 * MIB
