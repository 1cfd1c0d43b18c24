/**
 * The wire: one folder per protocol, and QUIC under all of them. See each folder's index for what it does and what it does not.
 */
export * from './quic/index.ts'
export * from './exchange/index.ts'
export * from './find/index.ts'
export * from './provide/index.ts'
export * from './control/index.ts'
export * from './records/index.ts'
export * from './wire/index.ts'
export * from './content/index.ts'
