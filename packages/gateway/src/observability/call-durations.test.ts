import { createRandom, testSeed } from "@petak/testkit";
import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { CallDurations } from "./call-durations.ts";

test("call durations are exported like a histogram of prom-client", async () => {
  const random = createRandom(testSeed());
  const buckets = [0.001, 0.01, 0.1, 1];
  const [name, help] = ["calls_seconds", "Seconds of a call."];
  const [theirs, ours] = [new Registry(), new Registry()];
  const histogram = new Histogram({ name, help, buckets, labelNames: ["method", "protocol", "code"], registers: [theirs] });
  const durations = new CallDurations({ name, help, bucketsS: buckets });
  ours.registerMetric(durations as unknown as Histogram);
  for (let count = 0; count < 500; count += 1) {
    const labels = {
      method: random.pick(["a/B", "a/C"]),
      protocol: random.pick(["grpc", "connect"]),
      code: random.pick(["ok", "canceled"]),
    };
    const durationS = random.bool(0.2) ? random.pick(buckets) : random.float(0, 2);
    histogram.observe(labels, durationS);
    durations.count(labels.method, labels.protocol, labels.code, durationS);
  }
  const lines = async (registry: Registry) => (await registry.metrics()).split("\n").toSorted();
  expect(await lines(ours)).toEqual(await lines(theirs));
});
