import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ed25519KeyPair, generateKeyPair, holderKeyHash, provePresence } from "@petak/credential";
import { Act } from "@petak/protocol";
import { tempDir } from "@petak/testkit";
import { onTestFinished } from "vitest";
import {
  type Agent,
  type AgentOptions,
  type AgentStore,
  createAgent,
  createSimulatedCabinet,
  openAgentStore,
  type SimulatedCabinet,
  type TokenShown,
} from "../src/index.ts";
import { type AgentGateway, siteId, startAgentGateway } from "./agent-gateway.ts";
import { createManualTimers, type ManualTimers } from "./manual-timers.ts";

/** What an agent told its operator. */
export interface LogLine {
  level: "info" | "warn" | "error";
  message: string;
}

/** A site with its agent and a gateway, for one test. */
export interface TestSite {
  readonly timers: ManualTimers;
  readonly gateway: AgentGateway;
  readonly cabinet: SimulatedCabinet;
  readonly log: LogLine[];
  readonly storePath: string;
  agent: Agent;
  store: AgentStore;
  /** Ends the agent in good order and starts another over the same store. */
  restart(options?: Partial<AgentOptions>): Promise<void>;
}

/** The doors of the test's cabinet: three small, one large. */
export const compartments = [
  { compartmentId: "A1", sizeClassId: "S" },
  { compartmentId: "A2", sizeClassId: "S" },
  { compartmentId: "A3", sizeClassId: "S" },
  { compartmentId: "B1", sizeClassId: "L" },
];

/** Starts a site; all of it ends with the running test. */
export async function startSite(
  options: {
    cabinet?: SimulatedCabinet;
    agent?: Partial<AgentOptions>;
    timers?: ManualTimers;
    gateway?: AgentGateway;
    isUp?: boolean;
    /** Where its store is, or will be. */
    storePath?: string;
  } = {},
): Promise<TestSite> {
  const timers = options.timers ?? createManualTimers(Date.UTC(2026, 10, 24, 12));
  const gateway = options.gateway ?? (await startAgentGateway(timers.now));
  if (options.isUp !== undefined) gateway.isUp = options.isUp;
  const cabinet = options.cabinet ?? createSimulatedCabinet({ compartments });
  const storePath = options.storePath ?? join(await tempDir(), "agent.db");
  const log: LogLine[] = [];
  const note = (level: LogLine["level"]) => (_: object, message: string) => void log.push({ level, message });
  const logger = { info: note("info"), warn: note("warn"), error: note("error") };

  const open = (changes: Partial<AgentOptions> = {}) => {
    const store = openAgentStore(storePath);
    const { now, after } = timers;
    const common = { client: gateway.agents, siteId, store, cabinet, logger, now, after, random: () => 0.5, refusalMs: 0 };
    return { store, agent: createAgent({ ...common, ...options.agent, ...changes }) };
  };
  const site: TestSite = {
    timers,
    gateway,
    cabinet,
    log,
    storePath,
    ...open(),
    async restart(changes) {
      await site.agent.stop();
      site.store.close();
      Object.assign(site, open(changes));
      await site.agent.start();
    },
  };
  onTestFinished(async () => {
    await site.agent.stop();
    site.store.close();
  });
  await site.agent.start();
  return site;
}

/** What the person is told where a credential does not open. */
export const notAccepted = { opened: false, refusal: "NOT_ACCEPTED" };

/** A PIN. */
export const pin = "12345678";

/** Deposits a parcel for a reservation. @returns the compartment */
export async function deposit(site: TestSite, reservationId: string): Promise<string> {
  const outcome = await site.agent.present({ token: await site.gateway.token(Act.DEPOSIT, reservationId) });
  if (!outcome.opened) throw new Error(`the deposit was refused: ${outcome.refusal}`);
  site.cabinet.putIn(outcome.compartmentId);
  site.cabinet.closeDoor(outcome.compartmentId);
  return outcome.compartmentId;
}

/** Somebody with a key, at a site's door. */
export interface Holder {
  readonly keyHash: string;
  readonly keys: Ed25519KeyPair;
  /** A token with a proof for a challenge of the site, fresh where none is given. */
  show(site: TestSite, token: string, how?: { challenge?: string; compartmentId?: string }): Promise<TokenShown>;
}

/** Makes a key for somebody. */
export async function newHolder(): Promise<Holder> {
  const keys = await generateKeyPair();
  return {
    keys,
    keyHash: await holderKeyHash(keys.publicKey),
    async show(site, token, how = {}) {
      const { challenge = site.agent.challenge().challenge, ...door } = how;
      return { token, presence: await provePresence({ token, challenge, privateJwk: keys.privateJwk, ...door }), ...door };
    },
  };
}

/** What is left of a site's store when the power goes now: what has been written to the disk, and nothing of the memory. @returns its path */
export async function diskAfterPowerCut({ storePath }: TestSite): Promise<string> {
  const path = join(await tempDir(), "agent.db");
  await Promise.all(["", "-wal"].map((suffix) => copyFile(`${storePath}${suffix}`, `${path}${suffix}`)));
  return path;
}

/** Waits until what the sensors said is written down. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** The id in an access token. */
export function tokenIdOf(token: string): string {
  return (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { jti: string }).jti;
}

/** The refusal of the last report that the gateway has, when it has all. */
export async function lastRefusal(site: TestSite): Promise<string | undefined> {
  await site.agent.flushed();
  return site.gateway.events.at(-1)?.refusal;
}
