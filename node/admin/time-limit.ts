import * as Type from 'typebox'
import { DAY_MS } from '../../base/index.ts'

/** As the longest that `operations.timeout` takes. */
const MAX_TIMEOUT_MS = 7 * DAY_MS

const timeoutMs = (unlessGiven: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_TIMEOUT_MS,
      description: `After this the operation has failed with TIMEOUT; ${unlessGiven} unless given.`
    })
  )

/** How long an operation may take, in the body of the request that starts it. */
export const TimeoutMs = timeoutMs('operations.timeout')
/** The same of one that takes as long as the disk takes. */
export const OwnTimeoutMs = timeoutMs('never')
