import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AddedMetrics } from "./added-metrics.ts";
import { createLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";

test("secrets in a log line are redacted", () => {
  const lines: string[] = [];
  const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });
  const bare = { token: "s3cret", pin: "s3cret" };
  logger.info(
    { ...bare, headers: { ...bare, authorization: "s3cret" }, request: { headers: { authorization: "s3cret", cookie: "s3cret" } } },
    "mistake",
  );
  logger.child({ access_token: "s3cret" }).warn("another");
  expect(lines.join("")).not.toContain("s3cret");
  expect(lines).toHaveLength(2);
});

test("a stranger's text in a log line commands no terminal, and is the same in JSON", () => {
  const lines: string[] = [];
  const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });
  const hostile = "\u001b[2J\u007f\u009b31m\r\n\u202egpj";
  logger.warn({ name: hostile }, hostile);
  expect(lines).toHaveLength(1);
  expect(lines[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ name: hostile, msg: hostile });
});

test("lines below the level are not written", () => {
  const lines: string[] = [];
  const logger = createLogger({ level: "warn", destination: { write: (line) => void lines.push(line) } });
  logger.info("quiet");
  expect(lines).toEqual([]);
});

test("metrics of two gateways in one process do not mix, and the process is measured", async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.redisConnectionErrors.inc();
  expect(await one.registry.metrics()).toContain("petak_redis_connection_errors_total 1");
  expect(await two.registry.metrics()).not.toContain("petak_redis_connection_errors_total 1");
  expect(await two.registry.metrics()).toContain("process_resident_memory_bytes");
});

test("the lag of the event loop is the same for everybody, whoever has read it before", async () => {
  const { registry } = createMetrics();
  const maxS = async () => Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await registry.metrics())?.[1]);
  // Delays are counted from the first measurement on.
  await expect.poll(maxS, { interval: 10 }).toBeGreaterThan(0);
  const endMs = performance.now() + 100;
  while (performance.now() < endMs);
  await expect.poll(maxS, { timeout: 30_000 }).toBeGreaterThan(0.08);
  expect(await maxS()).toBeGreaterThan(0.08);
});

test("the operator's guide explains every metric", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../../../docs/guides/operator.md"), "utf8");
  const text = (await createMetrics({ processMetrics: false }).registry.metrics()) + (await new AddedMetrics(1).text(1));
  const names = [...text.matchAll(/^# TYPE (petak_\w+) /gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
});
