/** Metrics of the process, its operations and its admin API, and of what it holds. */
import { counter, gauge, histogram } from './row.ts'

/** When metrics are there. */
const WITH_BUCKET = { only: 'store.backend = "s3"' }

export const NODE_ROWS = {
  node: {
    state_ratio: gauge('1 for the state the node is in, 0 for the others.', ['state'], {
      lookWhen: 'the one of `running` is 0'
    }),
    health_ratio: gauge(
      'Health of the node: 1 when all is well, 0.25 less for each reason that `catalog status` gives.',
      [],
      {
        lookWhen: 'below 1: `catalog status` says why'
      }
    ),
    event_loop_delay_seconds: gauge(
      'How much later than due a timer of 10 ms fires, which is how long other work held the event loop: by quantile (0.5, 0.99, and 1, the longest), of the minute under way (`current`) and of the last whole one (`last`).',
      ['window', 'quantile'],
      { lookWhen: '0.99 above 0.01' }
    ),
    memory_rss_bytes: gauge('Resident memory of the process.', [], { lookWhen: 'it grows for hours' }),
    cpu_seconds_total: counter('Processor time of the process, all its threads: user and system.', ['mode']),
    open_files: gauge(
      'Files, sockets and pipes that the process has open; 0 where the system does not say.',
      [],
      {
        lookWhen: 'near the limit of the process'
      }
    ),
    uptime_seconds: gauge('Time since the process started.'),
    running_operations: gauge('Operations that run now.', [], { lookWhen: 'near `operations.max`' }),
    operations_total: counter('Operations that have ended, by kind and state.', ['kind', 'state'], {
      lookWhen: '`failed` grows'
    }),
    errors_total: counter(
      'Errors that lines of the log tell of, those below its level too, by code and part.',
      ['code', 'part'],
      {
        lookWhen: 'one grows that did not: `catalog log --errors` says with whom'
      }
    ),
    active_alerts: gauge('Alerts that are raised now, by level (alerts.md).', ['level'], {
      lookWhen: 'above 0: `catalog status` says which'
    }),
    http_requests_total: counter(
      'Requests of the admin API by route, method and status.',
      ['route', 'method', 'status'],
      {
        lookWhen: '5xx'
      }
    ),
    http_request_duration_seconds: histogram('Time from the request line to the last byte of the response.', [
      'route'
    ]),
    scrub_checked_bytes_total: counter('Bytes at rest that the scrub has hashed.'),
    scrub_corrupt_blocks_total: counter('Blocks that the scrub found damaged.', [], {
      lookWhen: 'it grows: the disk loses data'
    }),
    bucket_sent_bytes_total: counter('Bytes of segments sent to the bucket.', [], WITH_BUCKET),
    bucket_failures_total: counter(
      'Tries of moving a segment to or from the bucket that failed, by code.',
      ['code'],
      { ...WITH_BUCKET, lookWhen: 'it grows' }
    ),
    bucket_backlog_bytes: gauge('Bytes of sealed segments that wait for the bucket.', [], {
      ...WITH_BUCKET,
      lookWhen: 'it grows and grows'
    }),
    bucket_cached_bytes: gauge('Bytes of local copies of segments that the bucket has.', [], WITH_BUCKET)
  },
  library: {
    worker_starts_total: counter('Times the worker thread was started.'),
    worker_running_threads: gauge('Worker threads running: 0 or 1.'),
    worker_waiting_calls: gauge('Calls of the worker that are not answered yet.', [], {
      lookWhen: 'it stays in the hundreds: the disk or the processor is behind'
    }),
    worker_call_seconds: histogram(
      'Time from a call of the worker until its answer, its wait included, by method.',
      ['method'],
      {
        lookWhen: 'seconds: see `catalog_library_worker_waiting_calls`'
      }
    ),
    remembered_answers_total: counter(
      'Answers of the admin API that may be kept, by where they came from: what was kept of the same question (`kept`), or the database (`read`).',
      ['from']
    ),
    remembered_bytes: gauge(
      'What answers that are kept take, with the names and rows that they are of, at most 8 MiB.'
    ),
    content_read_bytes_total: counter('Verified bytes read from the store.'),
    content_corrupt_blocks_total: counter('Blocks found not to match their hash.', [], {
      lookWhen: 'it grows'
    }),
    content_ingested_bytes_total: counter('New bytes stored from folders.'),
    content_received_bytes_total: counter('Bytes of blocks stored from peers.'),
    content_collected_bytes_total: counter('Bytes of blocks that nothing needed.'),
    content_freed_bytes_total: counter('Bytes of segment files given back to the disk.'),
    content_segments_bytes: gauge('Bytes of all segments, those in a bucket too.', [], {
      lookWhen: 'near `store.quota`'
    }),
    content_quota_bytes: gauge('Bytes that the store may take (`store.quota`); 0 = no limit.'),
    content_local_segments: gauge('Segment files in the home.'),
    content_stored_blocks: gauge('Blocks in the store.'),
    content_whole_contents: gauge('Contents that are here whole.'),
    content_damaged_contents: gauge('Contents that were whole and miss blocks.', [], {
      lookWhen: 'above 0: `catalog verify --all --repair`'
    }),
    disk_free_bytes: gauge('Bytes that may still be written where the store is.', [], {
      lookWhen: 'below 1 GiB; at 64 MiB the store takes nothing more'
    }),
    content_bucket_read_bytes_total: counter(
      'Bytes read from the bucket, for peers and clients.',
      [],
      WITH_BUCKET
    )
  },
  registry: {
    home_releases: gauge('Releases in the home library, which this node shares.'),
    added_records_total: counter(
      'Records stored, by how they came: published or revised here, or added from a peer.',
      ['operation']
    )
  },
  anomaly: {
    active_anomalies: gauge('Series of measurements that are other than usual now.', [], {
      lookWhen: 'not 0: `catalog status` says which'
    }),
    began_anomalies_total: counter('Anomalies that have begun, by series.', ['series'])
  },
  tracing: {
    ended_spans_total: counter(
      'Spans that were `sent` to the collector, not taken by it (`failed`), or had no room to wait (`dropped`).',
      ['outcome'],
      { only: 'tracing.endpoint', lookWhen: 'the last two grow' }
    ),
    waiting_spans: gauge('Spans that wait for the collector, of 2,048 at most.', [], {
      only: 'tracing.endpoint',
      lookWhen: 'near that'
    })
  },
  queue: {
    waiting_tasks: gauge('Tasks that wait for their turn, by queue; each queue is bounded.', ['queue'], {
      lookWhen: 'one stays above 0'
    }),
    running_tasks: gauge('Tasks whose turn it is, by queue.', ['queue'])
  }
} as const
