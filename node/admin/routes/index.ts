import type { NodeServices } from '../../services/types.ts'
import type { Route } from '../route.ts'
import type { Streams } from '../streams.ts'
import { backupRoutes } from './backup.ts'
import { blockRoutes } from './blocks.ts'
import { bundleRoutes } from './bundles.ts'
import { changeRoutes } from './changes.ts'
import { conflictRoutes } from './conflicts.ts'
import { contentRoutes } from './contents.ts'
import { libraryRoutes } from './libraries.ts'
import { mirrorRoutes } from './mirroring.ts'
import { networkRoutes } from './network.ts'
import { packageRoutes } from './packages.ts'
import { queueRoutes } from './queue.ts'
import { settingRoutes } from './settings.ts'
import { statusRoutes } from './status.ts'
import { syncRoutes } from './syncing.ts'
import { watchingRoutes } from './watching.ts'
import { workRoutes } from './work.ts'

/** Every route of the admin API, in the order of the documentation. */
export function adminRoutes(services: NodeServices, streams: Streams): readonly Route[] {
  const routes: Route[] = [
    ...statusRoutes(services),
    ...backupRoutes(services, streams),
    ...packageRoutes(services, streams),
    ...bundleRoutes(services, streams),
    ...changeRoutes(services),
    ...conflictRoutes(services),
    ...contentRoutes(services),
    ...blockRoutes(services),
    ...workRoutes(services, streams),
    ...queueRoutes(services),
    ...syncRoutes(services),
    ...libraryRoutes(services),
    ...mirrorRoutes(services),
    ...networkRoutes(services),
    ...settingRoutes(services, streams),
    ...watchingRoutes(services, streams, () => routes)
  ]
  return routes
}
