import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type AgentLogger, afterByTimer, followTestClock, type TestClockFollower } from "@petak/agent";
import {
  createOwnServiceClient,
  createPetakClient,
  type KeyFile,
  type PetakClient,
  type PetakClientOptions,
  signerOfKeyFile,
} from "@petak/client/node";
import type { Logger, Sandbox, SandboxPlace } from "@petak/gateway";
import { Role, type Site } from "@petak/protocol";
import { TestClockService } from "@petak/protocol/test-clock";
import { ensureParticipant } from "../demo/ensure-participant.ts";
import { keepDoing, settleDoubts, throwAway } from "./care.ts";
import { habitsOf, shortGraceMs } from "./habits.ts";
import { createSandboxSite, type SandboxClock, type SandboxSite } from "./sandbox-site.ts";
import { keepShares } from "./shares.ts";
import { type SandboxSiteFacts, sandboxSites, siteInit } from "./sites.ts";
import { createTerminal, ensureTerminalKey } from "./terminal.ts";

/** Options of {@link openSandbox}. */
export interface OpenSandboxOptions {
  gatewayUrl: string;
  /** How it is connected to. Undefined without TLS. */
  tls: PetakClientOptions["tls"];
  /** Whether the gateway has a test clock, which the terminals then follow. */
  hasTestClock: boolean;
  /** An administrator's key, by which the operator of the sandbox is registered. */
  adminKey: KeyFile;
  /** The gateway's. The operator's key is kept with the others, and the terminals have a folder of their own. */
  dataDir: string;
  logger: Logger;
  /** Hears of the operator, before it has sites. */
  onOperator(operatorId: string): void;
}

/** A sandbox that runs. */
export interface OpenedSandbox extends Sandbox {
  stop(): Promise<void>;
}

/** Pauses between two looks at a site, in ms: at what is in doubt or to be retired, and at what was forgotten or is too much. */
const careEveryMs = 2000;
const tidyEveryMs = 60_000;

/** What is opened stands on this. */
interface Ground extends Pick<OpenSandboxOptions, "dataDir"> {
  readonly stack: AsyncDisposableStack;
  readonly clock: SandboxClock;
  readonly testClock: TestClockFollower | undefined;
  readonly operator: PetakClient;
  readonly operatorKey: KeyFile;
  readonly logger: AgentLogger;
  /** Hears why a site could not be looked after, which is tried again. */
  onCareFailed(error: unknown): void;
  connect(keyFile: KeyFile, options?: Pick<PetakClientOptions, "retry">): PetakClient;
}

/**
 * Opens the sandbox of a gateway that listens: its operator, its sites, and a real agent in software at each. What an earlier process has left goes on.
 *
 * @throws ConnectError if the gateway refuses something, or is not reached
 */
export async function openSandbox(options: OpenSandboxOptions): Promise<OpenedSandbox> {
  const { gatewayUrl: baseUrl, tls, adminKey, dataDir, hasTestClock } = options;
  await using stack = new AsyncDisposableStack();
  const clientOptions = (keyFile: KeyFile) => ({ baseUrl, tls, signer: signerOfKeyFile(keyFile) });
  const connect: Ground["connect"] = (keyFile, more = {}) =>
    stack.adopt(createPetakClient({ ...clientOptions(keyFile), ...more }), (client) => client.close());
  const operatorKey = await ensureParticipant(connect(adminKey), {
    ...{ name: "sandbox", displayName: "Petak sandbox", role: Role.OPERATOR, audience: adminKey.audience },
    path: operatorKeyPath(dataDir),
  });
  options.onOperator(operatorKey.participant_id);
  const operator = connect(operatorKey);
  const readClock = async () => {
    const { client } = stack.adopt(createOwnServiceClient(TestClockService, clientOptions(operatorKey)), ({ close }) => close());
    return stack.adopt(await followTestClock(client), (follower) => follower.stop());
  };
  const testClock = hasTestClock ? await readClock() : undefined;
  const clock = testClock ?? { now: Date.now, after: afterByTimer };
  const ground = {
    ...{ stack, clock, testClock, operator, operatorKey, dataDir, connect, logger: meantLogger(options.logger) },
    onCareFailed: tellOnce((err) => options.logger.warn({ err }, "the sandbox could not look after a site")),
  };
  const sites = new Map<string, SandboxSite & SandboxPlace>();
  for (const [facts, site] of await putSites(operator)) {
    const { siteId, operatorSiteRef } = site;
    sites.set(siteId, { siteId, operatorSiteRef, behaviour: facts.behaviour, ...(await openSite(facts, site, ground)) });
  }
  const all = stack.move();
  return {
    sites: [...sites.values()].map(({ siteId, operatorSiteRef, behaviour }) => ({ siteId, operatorSiteRef, behaviour })),
    async visit(siteId, shown) {
      const site = sites.get(siteId);
      if (site === undefined) throw new Error(`the sandbox has no site ${siteId}`);
      return await site.visit(shown);
    },
    stop: () => all.disposeAsync(),
  };
}

/** Starts the terminal of a site, and whoever looks after it. */
async function openSite(facts: SandboxSiteFacts, site: Site, ground: Ground): Promise<SandboxSite> {
  const { stack, clock, testClock, operator, operatorKey, dataDir, logger, onCareFailed: onError } = ground;
  const { siteId } = site;
  const folder = join(dataDir, "sandbox", siteId);
  const key = await ensureTerminalKey({ operator, operatorKey, site, folder });
  const { agents } = ground.connect(key, { retry: false });
  const habits = habitsOf.get(facts.behaviour)?.(clock) ?? {};
  const client = habits.wrap?.(agents) ?? agents;
  const terminal = createTerminal({
    ...{
      client,
      key,
      site,
      folder,
      logger,
      hasParcels: habits.hasParcels ?? true,
      graceMs: shortGraceMs,
      watchesCommands: habits.hearsAtOnce === true,
    },
    ...(testClock && { testClock }),
  });
  stack.defer(terminal.stop);
  await terminal.start();
  const scene = { siteId, facts, terminal, operator };
  await habits.prepare?.(scene);
  stack.defer(() => habits.stop?.());
  const care = async () => {
    await settleDoubts(scene, clock, onError);
    await habits.care?.(scene);
  };
  stack.defer(keepDoing(care, { everyMs: careEveryMs, clock, onError }));
  const tidy = async () => {
    await throwAway(scene, clock, onError);
    await keepShares(scene, onError);
  };
  stack.defer(keepDoing(tidy, { everyMs: tidyEveryMs, clock, onError }));
  return createSandboxSite(scene, habits);
}

/** The file of the operator's key. */
export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, "keys", "sandbox.json");
}

/** Tells of an error, but not again and again while it is the same. */
function tellOnce(tell: (error: unknown) => void): (error: unknown) => void {
  let last = "";
  return (error) => {
    const message = String(error);
    if (message !== last) tell(error);
    last = message;
  };
}

/** What goes wrong at a terminal of the sandbox is meant to, so it is no error of the gateway. */
function meantLogger(logger: Logger): AgentLogger {
  const told = logger.child({ part: "sandbox" });
  const debug: AgentLogger["info"] = (facts, message) => told.debug(facts, message);
  return { info: debug, warn: debug, error: debug };
}

/** Writes the facts of the sites. */
async function putSites({ directory }: PetakClient): Promise<(readonly [SandboxSiteFacts, Site])[]> {
  const { results } = await directory.upsertSites({ requestId: randomUUID(), sites: sandboxSites.map(siteInit) });
  return await Promise.all(
    sandboxSites.map(async (facts, index) => {
      const siteId = results[index]?.siteId ?? "";
      const { site } = await directory.getSite({ siteId });
      if (site === undefined) throw new Error(`the gateway does not know ${siteId}, which it has just written`);
      return [facts, site] as const;
    }),
  );
}
