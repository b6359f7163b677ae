import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRandom, testSeed } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MetricsSampled } from "../observe/observation.ts";
import { keptMetrics } from "./gateway-metrics.ts";
import { readMetrics } from "./metrics-text.ts";
import { sampleMetrics } from "./sample-metrics.ts";

describe("the text of metrics", () => {
  it("is read as it was written, whatever the labels", () => {
    const random = createRandom(testSeed());
    const written = Array.from({ length: 200 }, (_, index) => {
      const labels = Array.from({ length: random.int(0, 3) }, (_, label): [string, string] => {
        return [
          `l${label}`,
          Array.from({ length: random.int(0, 6) }, () => random.pick(["a", '"', "\\", "\n", "}", ",", "=", " ", "é"])).join(""),
        ];
      });
      return { name: `m${index}`, labels: new Map(labels), value: random.float(-1e9, 1e9) };
    });
    const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
    const lines = written.map(({ name, labels, value }) => {
      const shown = [...labels].map(([label, text]) => `${label}="${escaped(text)}"`).join(random.pick([",", ", "]));
      return `${name}${shown === "" ? random.pick(["", "{}"]) : `{${shown}${random.pick(["", ","])}}`} ${value}${random.pick(["", " 1795790765000"])}`;
    });
    const text = ["# HELP m0 some { text", "# TYPE m0 counter", ...lines, ""].join("\n");
    expect([...readMetrics(text, () => true)]).toEqual(written);
  });

  it("is passed over where it is not a sample or not a number", () => {
    const text = ["a 1", "b NaN", "c +Inf", "d", "e{x=1} 2", 'f{x="1" 2', 'g{x="\u0000"} 3', "<html>", " h 4", "i 5 6 7"].join("\n");
    expect([...readMetrics(text, () => true)].map(({ name }) => name)).toEqual(["a", "g"]);
  });

  it("is kept as sums by the labels that matter, and never as more than a hundred series", () => {
    const call = (method: string, code: string, count: number) =>
      `petak_rpc_duration_seconds_count{method="${method}",code="${code}"} ${count}`;
    expect(keptMetrics([call("a", "ok", 1), call("b", "ok", 2), call("a", "internal", 4), "unknown 1"].join("\n"))).toEqual({
      'petak_rpc_duration_seconds_count{code="ok"}': 3,
      'petak_rpc_duration_seconds_count{code="internal"}': 4,
    });
    const many = Array.from({ length: 500 }, (_, index) => call("a", `${index}${"x".repeat(1000)}`, 1)).join("\n");
    const series = Object.keys(keptMetrics(many));
    expect([series.length, Math.max(...series.map((name) => name.length)) < 120]).toEqual([100, true]);
  });
});

/** A web server that answers as told. */
async function startServer(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function start(url: string) {
  const samples: MetricsSampled[] = [];
  const notes: string[] = [];
  const sampler = sampleMetrics({
    url,
    everyMs: 5,
    sinceBeganMs: () => 7,
    networkMs: () => 1000,
    observe: (sample) => samples.push(sample),
    note: (sentence) => notes.push(sentence),
  });
  onTestFinished(() => sampler.stop());
  return { samples, notes, sampler };
}

describe("the sampler", () => {
  it("samples a gateway until it is stopped, and then once more", async () => {
    const network = await startTestNetwork({ management: { host: "127.0.0.1", port: 0 } });
    onTestFinished(() => network.stop());
    const { samples, notes, sampler } = start(`http://127.0.0.1:${network.gateway.managementAddress?.port}/`);
    await expect.poll(() => samples.length).toBeGreaterThan(2);
    await sampler.stop();
    expect(samples.at(-1)).toMatchObject({ kind: "metrics", atMs: 1000, doneMs: 7 });
    expect(samples.at(-1)?.values).toMatchObject({ petak_redis_up: 1, 'petak_rpc_in_flight{kind="unary"}': 0 });
    expect(notes).toEqual([]);
  });

  it.each([
    ["does not let us see them", "answers 403", true, (response: ServerResponse) => response.writeHead(403).end()],
    ["has none of a gateway", "has none of a gateway", true, (response: ServerResponse) => response.end("<html>")],
    ["sends megabytes", "did not answer", false, (response: ServerResponse) => response.end("petak_connections 1\n".repeat(300_000))],
    ["sends us elsewhere", "did not answer", false, (response: ServerResponse) => response.writeHead(302, { location: "/" }).end()],
  ])("says once that a server %s", async (_, why, isSaidAtOnce, answer) => {
    const url = await startServer(answer);
    const { samples, notes, sampler } = start(url);
    if (isSaidAtOnce) await expect.poll(() => notes).toHaveLength(1);
    await sampler.stop();
    await sampler.stop();
    expect(samples).toEqual([]);
    expect(notes).toEqual([`The gateway's own metrics are not in the results: ${url}/metrics ${why}.`]);
  });

  it("goes on if a gateway that had metrics has trouble for a while", async () => {
    let asked = 0;
    const url = await startServer((response) => {
      asked += 1;
      response.writeHead(asked === 2 ? 503 : 200).end(`petak_connections ${asked}\n`);
    });
    const { samples, notes } = start(url);
    await expect.poll(() => samples.map(({ values }) => values.petak_connections)).toContain(3);
    expect(samples.map(({ values }) => values.petak_connections)).not.toContain(2);
    expect(notes).toEqual([]);
  });
});
