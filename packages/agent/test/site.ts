import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Act } from "@petak/protocol";
import { createManualTimers, type ManualTimers, tempDir } from "@petak/testkit";
import { onTestFinished } from "vitest";
import type { AgentOptions } from "../src/index.ts";
import { createSimulatedTerminal, type SimulatedCabinet, type SimulatedTerminal } from "../src/simulation/index.ts";
import { type AgentGateway, siteId, startAgentGateway } from "./agent-gateway.ts";

/** A line of an agent's log. */
export interface LogLine {
  level: "info" | "warn" | "error";
  message: string;
}

/** A site with its terminal and a gateway, for one test. */
export interface TestSite extends SimulatedTerminal {
  readonly timers: ManualTimers;
  readonly gateway: AgentGateway;
  readonly log: LogLine[];
}

/** The doors of the test cabinet: three small, one large. */
export const compartments = [
  { compartmentId: "A1", sizeClassId: "S" },
  { compartmentId: "A2", sizeClassId: "S" },
  { compartmentId: "A3", sizeClassId: "S" },
  { compartmentId: "B1", sizeClassId: "L" },
];

/** Starts a site; it stops with the running test. */
export async function startSite(
  options: {
    cabinet?: SimulatedCabinet;
    agent?: Partial<Omit<AgentOptions, "store" | "cabinet" | "logger">>;
    timers?: ManualTimers;
    gateway?: AgentGateway;
    isUp?: boolean;
    /** Path of its store. */
    storePath?: string;
  } = {},
): Promise<TestSite> {
  const timers = options.timers ?? createManualTimers(Date.UTC(2026, 10, 24, 12));
  const gateway = options.gateway ?? (await startAgentGateway(timers.now));
  if (options.isUp !== undefined) gateway.isUp = options.isUp;
  const log: LogLine[] = [];
  const note = (level: LogLine["level"]) => (_: object, message: string) => void log.push({ level, message });
  const { now, after } = timers;
  const terminal = createSimulatedTerminal({
    client: gateway.agents,
    siteId,
    storePath: options.storePath ?? join(await tempDir(), "agent.db"),
    cabinet: options.cabinet ?? compartments,
    logger: { info: note("info"), warn: note("warn"), error: note("error") },
    now,
    elapsedMs: now,
    after,
    random: () => 0.5,
    refusalMs: 0,
    ...options.agent,
  });
  onTestFinished(() => terminal.stop());
  await terminal.start();
  return Object.assign(terminal, { timers, gateway, log });
}

/** The response to a credential that does not open. */
export const notAccepted = { opened: false, refusal: "NOT_ACCEPTED" };

/** A PIN. */
export const pin = "12345678";

/** Deposits a parcel for a reservation. @returns the compartment */
export async function deposit(site: TestSite, reservationId: string): Promise<string> {
  const outcome = await site.agent.present({ token: await site.gateway.token(Act.DEPOSIT, reservationId) });
  if (!outcome.opened) throw new Error(`the deposit was refused: ${outcome.refusal}`);
  site.useDoor(outcome);
  return outcome.compartmentId;
}

/** Copies a site's store as a power failure would leave it now. @returns the path of the copy */
export async function diskAfterPowerCut({ storePath }: Pick<TestSite, "storePath">): Promise<string> {
  const path = join(await tempDir(), "agent.db");
  await Promise.all(["", "-wal"].map((suffix) => copyFile(`${storePath}${suffix}`, `${path}${suffix}`)));
  return path;
}

/** Waits until a condition holds, e.g. until sensor readings are recorded. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass in steps of ten seconds until a condition holds. */
export async function advanceUntil({ timers }: Pick<TestSite, "timers">, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    timers.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass until the gateway has all reports: an agent that could not write waits before it tries again. */
export async function flushedInTime(site: Pick<TestSite, "timers" | "agent">): Promise<void> {
  let isDone = false;
  const flushed = site.agent.flushed().finally(() => {
    isDone = true;
  });
  await advanceUntil(site, () => isDone);
  await flushed;
}

/** The id in an access token. */
export function tokenIdOf(token: string): string {
  return (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { jti: string }).jti;
}

/** The refusal of the last report, once the gateway has all reports. */
export async function lastRefusal(site: TestSite): Promise<string | undefined> {
  await site.agent.flushed();
  return site.gateway.events.at(-1)?.refusal;
}
