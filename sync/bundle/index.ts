/**
 * Bundles: releases of a library as one file, with the head of its writer and a proof for each record, so that who gets it from anybody
 * can check all of it without a network. Parts and their bytes; where records and blocks come from and go to is the node's business.
 */
export { type BundledRecord, checkBundleHead, checkBundleRecord } from './check.ts'
export { BUNDLE_TYPE, type BundlePart, MAX_BUNDLE_RECORDS } from './parts.ts'
export { readBundle } from './read.ts'
export { writeBundle } from './write.ts'
