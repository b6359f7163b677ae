import { monitorEventLoopDelay } from "node:perf_hooks";
import { Gauge, type Registry } from "prom-client";

type Delays = ReturnType<typeof monitorEventLoopDelay>;

/** How often the older of two histograms begins anew, in ms. */
const turnMs = 30_000;

/** The names of prom-client, so that usual dashboards show them. */
const gauges: readonly (readonly [name: string, help: string, valueNs: (lag: Delays) => number])[] = [
  ["nodejs_eventloop_lag_seconds", "Mean delay of the event loop in the last 30 to 60 s.", ({ mean }) => mean],
  ["nodejs_eventloop_lag_min_seconds", "Least delay of the event loop in the last 30 to 60 s.", ({ min }) => min],
  ["nodejs_eventloop_lag_max_seconds", "Greatest delay of the event loop in the last 30 to 60 s.", ({ max }) => max],
  ["nodejs_eventloop_lag_mean_seconds", "Mean delay of the event loop in the last 30 to 60 s.", ({ mean }) => mean],
  ["nodejs_eventloop_lag_stddev_seconds", "Standard deviation of the delays in the last 30 to 60 s.", ({ stddev }) => stddev],
  ["nodejs_eventloop_lag_p50_seconds", "Median delay of the event loop in the last 30 to 60 s.", (lag) => lag.percentile(50)],
  ["nodejs_eventloop_lag_p90_seconds", "90th percentile of the delays in the last 30 to 60 s.", (lag) => lag.percentile(90)],
  ["nodejs_eventloop_lag_p99_seconds", "99th percentile of the delays in the last 30 to 60 s.", (lag) => lag.percentile(99)],
];

/**
 * Measures the delays of this process's event loop over the last 30 to 60 s: whoever reads the metrics, and how often, changes nothing for others. The gauges of
 * prom-client, which are replaced, are of the time since somebody read them last. Of two histograms the older is read, which begins anew when the other is as old.
 */
export function registerEventLoopLag(registry: Registry): void {
  let [older, newer] = [startMonitor(), startMonitor()];
  setInterval(() => {
    older.reset();
    [older, newer] = [newer, older];
  }, turnMs).unref();
  for (const [name, help, valueNs] of gauges) {
    registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      // Of several workers, that of the busiest.
      aggregator: name.includes("_min_") ? "min" : "max",
      registers: [registry],
      collect() {
        this.set(older.count === 0 ? 0 : valueNs(older) / 1e9);
      },
    });
  }
}

function startMonitor(): Delays {
  const monitor = monitorEventLoopDelay({ resolution: 10 });
  monitor.enable();
  return monitor;
}
