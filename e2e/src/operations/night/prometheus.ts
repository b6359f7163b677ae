import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, tempDir } from "@petak/testkit";

const rulesFile = join(import.meta.dirname, "../../../../deploy/prometheus/petak.rules.yml");
const execute = promisify(execFile);

/** Whether Prometheus can be run, and openssl, of which a certificate is; the set-up installs them where it may. */
export const hasPrometheus = await Promise.all([execute("prometheus", ["--version"]), execute("openssl", ["version"])]).then(
  () => true,
  () => false,
);

/** The shipped rules by which a condition is seen in seconds: no alert waits, and ranges are a minute. Expressions and thresholds are as shipped. */
export function hastened(rules: string): string {
  return rules
    .replaceAll(/^( +for: )\S+$/gm, "$11s")
    .replaceAll(/\[(\d+)([md])\]/g, "[1m]")
    .replaceAll(/ offset \d+m/g, " offset 1m");
}

/** An answer of its API. */
interface Answer {
  data: { alerts?: { labels: { alertname: string }; annotations: { runbook_url: string }; state: string }[]; result?: unknown[] };
}

export interface RunningPrometheus {
  /** Host and port. */
  readonly address: string;
  /** The directory with `prometheus.yml`. */
  readonly directory: string;
  /** The alerts that fire, with their pages. */
  firing(): Promise<Map<string, string>>;
  /** Results of a query. */
  query(expression: string): Promise<unknown[]>;
  /** Writes other targets into the configuration, which is not read before it is reloaded. */
  writeTargets(targets: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Prometheus with the shipped rules, hastened, for gateways' management listeners. */
export async function startPrometheus(targets: readonly string[]): Promise<RunningPrometheus> {
  const directory = await tempDir();
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(directory, "prometheus.yml");
  const writeTargets = async (these: readonly string[]) =>
    // JSON is YAML too.
    await writeFile(
      config,
      JSON.stringify({
        global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
        rule_files: ["petak.rules.yml"],
        scrape_configs: [{ job_name: "petak", static_configs: [{ targets: these }] }],
      }),
    );
  await writeFile(join(directory, "petak.rules.yml"), hastened(await readFile(rulesFile, "utf8")));
  await writeTargets(targets);
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(directory, "data")}`, `--web.listen-address=${address}`];
  const child = spawn("prometheus", [...flags, "--web.enable-lifecycle", "--log.level=warn"], { stdio: ["ignore", "ignore", "pipe"] });
  let noted = "";
  child.stderr.on("data", (chunk: Buffer) => {
    noted += chunk.toString();
  });
  const exited = once(child, "exit");
  const ask = async (path: string) => {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return ((await response.json()) as Answer).data;
  };
  const isReady = async () => (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.ok === true;
  while (!(await isReady())) if (child.exitCode !== null) throw new Error(`Prometheus has ended: ${noted}`);
  return {
    address,
    directory,
    writeTargets,
    async firing() {
      const { alerts = [] } = await ask("alerts");
      return new Map(
        alerts.flatMap(({ labels, annotations, state }) =>
          state === "firing" ? [[labels.alertname, annotations.runbook_url] as const] : [],
        ),
      );
    },
    query: async (expression) => (await ask(`query?query=${encodeURIComponent(expression)}`)).result ?? [],
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
