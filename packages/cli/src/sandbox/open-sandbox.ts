import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { AgentLogger } from "@petak/agent";
import { createPetakClient, type KeyFile, type PetakClient, type PetakClientOptions, signerOfKeyFile } from "@petak/client/node";
import type { Logger, Sandbox } from "@petak/gateway";
import { Role, type Site } from "@petak/protocol";
import { ensureParticipant } from "../demo/ensure-participant.ts";
import { habitsOf, shortGraceMs } from "./habits.ts";
import { createSandboxSite, type SandboxSite } from "./sandbox-site.ts";
import { sandboxSites, siteInit } from "./sites.ts";
import { createTerminal, ensureTerminalKey } from "./terminal.ts";

/** Options of {@link openSandbox}. */
export interface OpenSandboxOptions {
  gatewayUrl: string;
  /** Its certificate in PEM. Undefined without TLS. */
  certificate: string | undefined;
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

/**
 * Opens the sandbox of a gateway that listens: its operator, its sites, and a real agent in software at each. What an earlier process has left goes on.
 *
 * @throws ConnectError if the gateway refuses something, or is not reached
 */
export async function openSandbox(options: OpenSandboxOptions): Promise<OpenedSandbox> {
  const { gatewayUrl, certificate, adminKey, dataDir } = options;
  const logger = meantLogger(options.logger);
  await using opened = new AsyncDisposableStack();
  const connect = (keyFile: KeyFile, options: Pick<PetakClientOptions, "retry"> = {}) => {
    const tls = certificate === undefined ? {} : { tls: { ca: certificate } };
    return opened.adopt(createPetakClient({ baseUrl: gatewayUrl, signer: signerOfKeyFile(keyFile), ...tls, ...options }), (client) =>
      client.close(),
    );
  };
  const operatorKey = await ensureParticipant(connect(adminKey), {
    ...{ name: "sandbox", displayName: "Petak sandbox", role: Role.OPERATOR, audience: adminKey.audience },
    path: operatorKeyPath(dataDir),
  });
  options.onOperator(operatorKey.participant_id);
  const operator = connect(operatorKey);
  const sites = new Map<string, SandboxSite>();
  for (const [index, site] of (await putSites(operator)).entries()) {
    const behaviour = sandboxSites[index]?.behaviour ?? 0;
    const { siteId, operatorSiteRef } = site;
    const folder = join(dataDir, "sandbox", siteId);
    const key = await ensureTerminalKey({ operator, operatorKey, site, folder });
    const { agents } = connect(key, { retry: false });
    const terminal = createTerminal({ client: agents, key, site, folder, logger, graceMs: shortGraceMs });
    opened.defer(terminal.stop);
    await terminal.start();
    const habits = habitsOf.get(behaviour)?.() ?? {};
    await habits.prepare?.(terminal);
    sites.set(siteId, createSandboxSite({ siteId, operatorSiteRef, behaviour }, terminal, habits));
  }
  const all = opened.move();
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

/** The file of the operator's key. */
export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, "keys", "sandbox.json");
}

/** What goes wrong at a terminal of the sandbox is meant to, so it is no error of the gateway. */
function meantLogger(logger: Logger): AgentLogger {
  const told = logger.child({ part: "sandbox" });
  const info: AgentLogger["info"] = (facts, message) => told.info(facts, message);
  return { info, warn: info, error: info };
}

/** Writes the facts of the sites, in their order. */
async function putSites({ directory }: PetakClient): Promise<Site[]> {
  const { results } = await directory.upsertSites({ requestId: randomUUID(), sites: sandboxSites.map(siteInit) });
  return await Promise.all(
    results.map(async ({ siteId }) => {
      const { site } = await directory.getSite({ siteId });
      if (site === undefined) throw new Error(`the gateway does not know ${siteId}, which it has just written`);
      return site;
    }),
  );
}
