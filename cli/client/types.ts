/** Shapes of the admin API as the command line reads them (docs/cli.md, openapi.json). Sizes in bytes, times in ms. */

export interface ReleaseItem {
  name: string
  version: string
  type: string
  /** Owner's public key, `z6Mk…`. */
  publisher: string
  /** CID of the record. */
  id: string
  /** CID of the manifest. */
  content: string
  sizeBytes: number
  status: string
  access: string
  local: 'none' | 'partial' | 'complete'
}

export interface DependencyItem {
  name: string
  range: string
  kind: string
  platform?: string
}

export interface ReleaseInfo extends ReleaseItem {
  files?: number
  description?: string
  keywords?: string[]
  licence?: string
  authors?: string[]
  links?: Record<string, string>
  entryPoint?: string
  dependencies?: DependencyItem[]
  publishedAt?: string
}

export interface FetchResult {
  id: string
  name: string
  version: string
  content: string
  sizeBytes: number
  files: number
  owner: string
  dependencies?: DependencyItem[]
  bytesFetched: number
  bytesReused: number
  sources: Array<{ peerId: string; bytes: number }>
  tookMs: number
}

export interface PublishResult {
  name: string
  version: string
  id: string
  content: string
  sizeBytes: number
  files: number
  newBytes: number
  announcedTo: number
}

export interface IngestAnswer {
  content: string
  sizeBytes: number
  files: number
  newBytes: number
}

export interface Status {
  state: string
  health: { score: number; reasons: string[] }
  uptimeMs: number
  peers: number
  library: { root: string | null; revision: number; releases: number }
  store: { bytes: number; quotaBytes: number; chunks: number }
  memory: { rssBytes: number }
  version?: string
}

export interface Identity {
  peerId: string
  publicKey: string
  addresses: string[]
}

export interface PeerItem {
  peerId: string
  addresses: string[]
  direction: string
  rttMs?: number | null
  score?: number | null
  limits?: unknown
}

export interface VerifyResult {
  ok: boolean
  checked: number
  bytes: number
  bad: Array<{ release: string; id: string; path: string; reason: string }>
}

export interface WhyResult {
  spec: string
  name: string
  releases: ReleaseItem[]
  holders: Array<{ peerId: string; source: string; ageMs?: number; lastDial?: string; lastError?: string }>
  lastFetch?: Record<string, unknown>
  local: unknown
  reasons: string[]
}

export interface ConfigItem {
  key: string
  value: unknown
  origin: string
  unit?: string
  description: string
}

export interface DoctorCheck {
  name: string
  ok: boolean
  level: 'ok' | 'warn' | 'error'
  message: string
  hint?: string
}
