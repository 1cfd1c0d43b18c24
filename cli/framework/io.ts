/** What the command line reads and writes: the process's own streams in main.ts, plain objects in tests. */
export interface Io {
  stdout: OutputStream
  stderr: OutputStream
  /** For prompts; absent where nobody can answer. */
  stdin?: NodeJS.ReadStream
  env: NodeJS.ProcessEnv
  platform: NodeJS.Platform
  /** Relative paths start here. */
  cwd: string
}

export interface OutputStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}
