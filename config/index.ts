/**
 * Configuration: one schema (schema/) is the source of defaults, validation, units, profiles, environment names, help,
 * documentation and the JSON Schema for editors. In come a TOML file, `CATALOG_*` variables and flags; out goes one
 * typed, checked object with durations in milliseconds and sizes in bytes, the origin of every value, and warnings.
 * It does not act on any value, does not write files and knows nothing of the parts it configures.
 */
export {
  type ConfigRow,
  configJsonSchema,
  configTemplate,
  describeConfig,
  formatConfigValue
} from './describe.ts'
export { configValue, setConfigValue } from './edit.ts'
export { CONFIG_SECTIONS, envName } from './keys.ts'
export {
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
  MAX_CONFIG_FILE_BYTES,
  validateConfigFile
} from './load.ts'
export { isOverridden, overriderText } from './origins.ts'
export { type ConfigProblem, throwProblems } from './problems.ts'
export { PROFILES, type Profile } from './schema/builders.ts'
export { CONFLICT_STRATEGIES, type ConflictStrategy } from './schema/conflicts.ts'
export {
  CONTENT_POLICIES,
  type ContentPolicy,
  LIBRARY_NAME_PATTERN,
  LIBRARY_NAME_RULE,
  MAX_FOLLOWED,
  RELEASE_CONDITIONS,
  SYNC_MODES,
  type SyncMode,
  UNWRITABLE_IN_FOLLOW
} from './schema/follow-line.ts'
export type { Config } from './schema/index.ts'
export {
  MIRROR_ACCEPTS,
  MIRROR_STRATEGIES,
  type MirrorAccept,
  type MirrorStrategy
} from './schema/mirror.ts'
export {
  MAX_REGION_LENGTH,
  REGION_LABEL,
  ROUTING_STRATEGIES,
  type RoutingStrategy
} from './schema/topology.ts'
