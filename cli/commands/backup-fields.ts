import type { BackupSummary } from '../../node/index.ts'

/** What the commands say of a backup. */
export const backupFields = ({ state, files, rows, awaySegments, awayBytes }: BackupSummary) => ({
  createdAt: state.createdAt,
  peerId: state.peerId,
  version: state.version,
  homeFormat: state.homeFormat,
  hasKeys: state.hasKeys,
  files,
  rows,
  segments: state.segments,
  segmentBytes: state.segmentBytes,
  awaySegments,
  awayBytes
})
