/** How long queues are, in one gauge for those that wait and one for those whose turn it is, by the name of the queue. */
import { Gauge, type Registry } from 'prom-client'
import { METRIC_TABLE, metricName } from './table.ts'

/** A semaphore is one. */
export interface ShownQueue {
  readonly name: string
  readonly waiting: number
  readonly active: number
}

class QueueGauge extends Gauge<'queue'> {
  readonly queues = new Map<string, ShownQueue>()

  constructor(
    registry: Registry,
    name: 'waiting_tasks' | 'running_tasks',
    read: (queue: ShownQueue) => number
  ) {
    super({
      name: metricName('queue', name),
      help: METRIC_TABLE.queue[name]!.help,
      labelNames: ['queue'],
      registers: [registry],
      collect: () => {
        for (const [queue, shown] of this.queues) this.set({ queue }, read(shown))
      }
    })
  }
}

/** Shows a queue under its name from now on, in the place of an earlier one of that name. */
export function showQueue(registry: Registry | undefined, queue: ShownQueue): void {
  if (registry === undefined) return
  const waiting = registry.getSingleMetric(metricName('queue', 'waiting_tasks')) as QueueGauge | undefined
  const running = registry.getSingleMetric(metricName('queue', 'running_tasks')) as QueueGauge | undefined
  ;(waiting ?? new QueueGauge(registry, 'waiting_tasks', ({ waiting }) => waiting)).queues.set(
    queue.name,
    queue
  )
  ;(running ?? new QueueGauge(registry, 'running_tasks', ({ active }) => active)).queues.set(
    queue.name,
    queue
  )
}
