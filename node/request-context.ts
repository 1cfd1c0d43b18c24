/**
 * The id of the request that the running code works for, carried along every `await`, so that a log line written deep
 * in a part that knows nothing of requests still names it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'

interface RequestScope {
  readonly requestId: string
}

const storage = new AsyncLocalStorage<RequestScope>()

/** Ids that a client may choose; anything else is replaced, as it ends in log lines and headers. */
const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/
const ID_HALF_CHARS = 8

/** Runs `fn` as part of request `requestId`. */
export function runInRequest<T>(requestId: string, fn: () => T): T {
  return storage.run({ requestId }, fn)
}

/** The request that the running code works for, if it works for one. */
export function currentRequestId(): string | undefined {
  return storage.getStore()?.requestId
}

/** Takes a client's id if it is of the allowed form, else makes one. */
export function requestIdFrom(offered: unknown): string {
  return typeof offered === 'string' && CLIENT_ID.test(offered) ? offered : newId()
}

/** 64 random bits. Node makes those of UUIDs ahead, many at a time; first and last digits are all random. */
function newId(): string {
  const uuid = randomUUID()
  return uuid.slice(0, ID_HALF_CHARS) + uuid.slice(-ID_HALF_CHARS)
}
