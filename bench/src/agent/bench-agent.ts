import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { generateKeyPair, writeKeyFile } from "@petak/client/node";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";
import { type AgentGateway, startAgentGateway } from "./agent-gateway.ts";
import { type AgentProcess, type DecisionTime, startAgentProcess } from "./agent-process.ts";

const root = join(import.meta.dirname, "../../..");
/** A large terminal, and what a gateway tells it of some days. */
const size = { doors: 100, reservations: 10_000, visits: 500 };
/** What requirement R29 asks for. */
const targets = { residentMiB: 90, idleCpuPercent: 1, decisionP99Ms: 5, readyMs: 2000 };

/** Of decisions, in ms: from the code that is written to the line that is read, and the agent's processor time meanwhile. */
interface Percentiles {
  p50Ms: number;
  p99Ms: number;
  cpuP50Ms: number;
  cpuP99Ms: number;
}

interface Round {
  /** From the start until it decides, with an empty store, and with what is on disk. */
  firstReadyMs: number;
  readyMs: number;
  /** While nobody comes. */
  residentMiB: number;
  idleCpuPercent: number;
  /** Two transactions of SQLite on the same disk, before each visit: what a decision waits for whatever it does. */
  bare: Percentiles;
  token: Percentiles;
  pin: Percentiles;
  /** After all visits. */
  residentAfterMiB: number;
}

/** Measures the bundled agent: memory, idling, start and decisions, with 10,000 reservations on disk. */
export async function benchAgent({
  seconds,
  rounds,
  json,
  isDry,
}: {
  seconds: number;
  rounds: number;
  json: boolean;
  isDry: boolean;
}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-agent-"));
  const measured: Round[] = [];
  try {
    execFileSync(process.execPath, [join(root, "scripts/bundle-agent.mjs"), "--out", folder]);
    for (let round = 0; round < rounds; round += 1) {
      measured.push(await measure(join(folder, "petak-agent.mjs"), join(folder, `device-${round}`), seconds));
      if (!json) process.stderr.write(`round ${round + 1} of ${rounds}: ${JSON.stringify(measured.at(-1))}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  const load = Math.round(loadavg()[0] ?? 0);
  const report = { commit, load, node: process.version, cpu: cpus()[0]?.model ?? "unknown", seconds, ...size, rounds: measured };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${textOf(report)}\n`);
  if (isDry) return;
  await writeFile(join(root, "bench/results/agent.json"), `${JSON.stringify(report, null, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- agent", textOf(report));
}

async function measure(program: string, dataDir: string, seconds: number): Promise<Round> {
  await using gateway = await startAgentGateway(size);
  await writeDevice(dataDir, gateway);
  const first = await startAgentProcess(program, dataDir);
  await first[Symbol.asyncDispose]();
  await using agent = await startAgentProcess(program, dataDir);
  const idle = await idling(agent, seconds);
  const [token, pin]: [DecisionTime[], DecisionTime[]] = [[], []];
  using disk = openBareDisk(join(dataDir, "bare.db"));
  const bare: DecisionTime[] = [];
  for (const visit of gateway.visits) {
    bare.push({ ms: disk.twoTransactionsMs(), cpuMs: 0 });
    token.push(await agent.show(visit.token));
    pin.push(await agent.show(visit.pin));
  }
  return {
    firstReadyMs: first.readyMs,
    readyMs: agent.readyMs,
    ...idle,
    bare: percentiles(bare),
    token: percentiles(token),
    pin: percentiles(pin),
    residentAfterMiB: agent.residentMiB(),
  };
}

/** The files of a device as its enrolment leaves them. */
async function writeDevice(dataDir: string, { url, siteId }: AgentGateway): Promise<void> {
  await mkdir(dataDir, { mode: 0o700 });
  const { privateJwk } = await generateKeyPair();
  const key = { participant_id: "par_bench", key_id: "key_test_bench", mode: "test" as const, audience: "bench", private_jwk: privateJwk };
  await writeKeyFile(join(dataDir, "agent-key.json"), key);
  await writeFile(join(dataDir, "device.json"), JSON.stringify({ version: 1, url, site_id: siteId }), { mode: 0o600 });
}

function openBareDisk(path: string): Disposable & { twoTransactionsMs(): number } {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE visit (at REAL)");
  const insert = database.prepare("INSERT INTO visit (at) VALUES (?)");
  return {
    twoTransactionsMs() {
      const beganMs = performance.now();
      insert.run(beganMs);
      insert.run(beganMs);
      return performance.now() - beganMs;
    },
    [Symbol.dispose]: () => database.close(),
  };
}

async function idling(agent: AgentProcess, seconds: number): Promise<{ residentMiB: number; idleCpuPercent: number }> {
  // What starting leaves to do.
  await setTimeout(5000);
  const beforeMs = agent.cpuMs();
  await setTimeout(seconds * 1000);
  return { idleCpuPercent: (agent.cpuMs() - beforeMs) / (seconds * 10), residentMiB: agent.residentMiB() };
}

function percentiles(times: readonly DecisionTime[]): Percentiles {
  const at = (values: number[], share: number) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;
  const [whole, cpu] = [times.map(({ ms }) => ms), times.map(({ cpuMs }) => cpuMs)];
  return { p50Ms: at(whole, 0.5), p99Ms: at(whole, 0.99), cpuP50Ms: at(cpu, 0.5), cpuP99Ms: at(cpu, 0.99) };
}

function textOf(report: { commit: string; load: number; node: string; cpu: string; seconds: number; rounds: Round[] }): string {
  const { commit, load, node, cpu, seconds, rounds } = report;
  const row = (what: string, unit: string, of: (round: Round) => number, target?: number) => {
    const values = rounds.map(of);
    const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
    const text = (value: number) => value.toFixed(value < 10 ? 2 : 0);
    const held = target === undefined ? "" : `< ${target}: ${middle < target ? "met" : "**not met**"}`;
    return `| ${what} | ${unit} | ${text(middle)} | ${text(least)}–${text(most)} | ${held} |`;
  };
  return `Commit ${commit}, Node ${node}, ${cpu}, ${cpus().length} cores with a load of ${load} at the end. \`node --max-semi-space-size=1 petak-agent.mjs run --simulated\` with ${size.doors} doors and ${size.reservations} reservations; ${rounds.length} rounds, of each ${seconds} s idle and ${2 * size.visits} visits.

| what | unit | median | least–most | target |
|---|---|---|---|---|
${[
  row("ready, with all on disk", "ms", (round) => round.readyMs, targets.readyMs),
  row("ready for the first time, all of it told by the gateway", "ms", (round) => round.firstReadyMs),
  row("resident while idle", "MiB", (round) => round.residentMiB, targets.residentMiB),
  row("processor while idle", "% of a core", (round) => round.idleCpuPercent, targets.idleCpuPercent),
  row("two transactions of bare SQLite on the same disk, p50", "ms", (round) => round.bare.p50Ms),
  row("the same, p99", "ms", (round) => round.bare.p99Ms),
  ...(["token", "pin"] as const).flatMap((kind) => [
    row(`a decision on a ${kind === "pin" ? "PIN" : "token"}, p50`, "ms", (round) => round[kind].p50Ms),
    row("the same, p99", "ms", (round) => round[kind].p99Ms, targets.decisionP99Ms),
    row("processor time of it, p50", "ms", (round) => round[kind].cpuP50Ms),
    row("the same, p99", "ms", (round) => round[kind].cpuP99Ms),
  ]),
  row("resident after all visits", "MiB", (round) => round.residentAfterMiB),
].join("\n")}`;
}
