/**
 * The wire: what peers say to each other, one folder per protocol, and QUIC under all of them. Each protocol is a client, a server
 * and a `messages.proto`; each folder's index says what it does and what it does not, docs/wire.md has formats, limits and
 * statuses. It stores nothing itself, knows no command and decides nothing about trust beyond cutting off and reporting a
 * peer that breaks its protocol. In: a libp2p host, the library, and requests; out: verified answers, or errors with a code.
 */

export * from './content/index.ts'
export * from './control/index.ts'
export * from './exchange/index.ts'
export * from './find/index.ts'
export * from './heads/index.ts'
export * from './holdings/index.ts'
export * from './mirror/index.ts'
export * from './probe/index.ts'
export * from './proof/index.ts'
export * from './provide/index.ts'
export * from './quic/index.ts'
export * from './receipts/index.ts'
export * from './records/index.ts'
export * from './sync/index.ts'
export * from './throttle/index.ts'
export * from './wire/index.ts'
