/**
 * Node: the daemon. It builds a node from all parts below it, keeps its states, its home and its log, serves the admin API
 * on the unix socket of the home, and does the work of publishing, finding and fetching. A program may run it as a process
 * (`startDaemon`) or hold a node of its own (`createDaemon`). In: a home, a configuration, requests over the socket; out: a
 * node on the network, JSON, metrics, log lines. It writes no folders of users and keeps no publisher key: that is the
 * command line's.
 */
export { adminApiDocument } from './admin/document.ts'
export type { OpenApiDocument } from './admin/openapi.ts'
export { backUpStopped } from './backup/backing-up.ts'
export { type LastBackup, readLastBackup } from './backup/last-backup.ts'
export type { BackupState } from './backup/parts.ts'
export { type RestoreOptions, restoreBackup } from './backup/restore.ts'
export { type Summary as BackupSummary, verifyBackup } from './backup/summary.ts'
export {
  createDaemon,
  type Daemon,
  type DaemonModules,
  type DaemonOptions,
  STOP_TIMEOUT_MS
} from './daemon.ts'
export { type Claim, readClaim } from './home/claim.ts'
export {
  CURRENT_FORMAT,
  MIGRATIONS,
  type Migration,
  migrate,
  readFormat,
  readKnownFormat
} from './home/format.ts'
export { createHome, openHome } from './home/home.ts'
export { checkPermissions, type HomeLayout, homeLayout } from './home/layout.ts'
export { type InitOptions, type InitResult, initHome } from './init.ts'
export { NODE_STATES, type NodeState } from './lifecycle.ts'
export { createLogging, type Logging } from './logging/logging.ts'
export { fileSink, type LogSink, terminalSink } from './logging/sinks.ts'
export type { Operation, OperationProgress, OperationState } from './operations.ts'
export type * from './schemas.ts'
export { ALERT_RULES } from './services/alerts/rules.ts'
export {
  bad,
  checkOf,
  clockCheck,
  diskCheck,
  type Finding,
  integrityCheck,
  nodeCheck,
  ok,
  warn
} from './services/machine-checks.ts'
export {
  backupCheck,
  blocksCheck,
  keysCheck,
  limitsCheck,
  openFilesLimit,
  SAMPLE_BLOCKS
} from './services/state-checks.ts'
export { expectReadable, unreadableSettings } from './settings-check.ts'
export { type ReadyLine, type StartOptions, startDaemon } from './start.ts'
export { verifyBundle } from './verify-bundle.ts'
export { VERSION } from './version.ts'
