/** What the worker thread is started with: in the bundle a file beside the program (scripts/bundle.ts), in the sources worker.ts. */
export const WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url
)
