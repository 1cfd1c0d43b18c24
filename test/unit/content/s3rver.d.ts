/** What the tests use of the S3 server, which has no types of its own. */
declare module '@20minutes/s3rver' {
  interface Context {
    path: string
    app: object
  }

  export default class S3rver {
    constructor(options: {
      address: string
      port: number
      silent: boolean
      vhostBuckets: boolean
      directory: string
      configureBuckets: { name: string; configs: unknown[] }[]
    })

    readonly middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[]
    run(): Promise<{ port: number }>
  }
}
