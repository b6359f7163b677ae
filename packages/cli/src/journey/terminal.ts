import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agent, type AgentLogger, createAgent, createSimulatedCabinet, openAgentStore, type SimulatedCabinet } from "@petak/agent";
import { createPetakClient, createRequestSigner, generateKeyPair, type KeyFile, type PetakClient } from "@petak/client";
import { Mode, type Site } from "@petak/protocol";
import { orAborted } from "./or-aborted.ts";

/** A terminal in software: a real agent before a simulated cabinet. */
export interface SoftwareTerminal {
  agent: Agent;
  cabinet: SimulatedCabinet;
  /** Stops the agent, removes its disk and ends its key. What cannot be done is logged and does not keep the rest from being done. */
  close(): Promise<void>;
}

/** What a terminal needs. */
export interface TerminalOptions {
  url: string;
  /** The site's operator, who registers the agent's key. */
  operator: PetakClient;
  operatorKey: KeyFile;
  site: Site;
  logger: AgentLogger;
  /** Ends the wait for the agent's start; what was made by then is taken away again. */
  signal: AbortSignal;
}

/** Puts a terminal at a site: a key of its own, a disk of its own, every compartment empty. */
export async function openTerminal({ url, operator, operatorKey, site, logger, signal }: TerminalOptions): Promise<SoftwareTerminal> {
  const { privateJwk, publicKey } = await generateKeyPair();
  const { key } = await operator.participants.registerKey({
    requestId: randomUUID(),
    publicKey,
    mode: operatorKey.mode === "live" ? Mode.LIVE : Mode.TEST,
    siteId: site.siteId,
    label: "terminal in software",
  });
  const keyId = key?.keyId ?? "";
  const undo: { what: string; step: () => unknown }[] = [
    {
      what: `the terminal's key ${keyId} could not be revoked`,
      step: () => operator.participants.revokeKey({ requestId: randomUUID(), keyId }),
    },
  ];
  const close = async () => {
    for (const { what, step } of undo.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        logger.warn({ reason: (error as Error).message }, what);
      }
    }
  };
  try {
    const disk = await mkdtemp(join(tmpdir(), "petak-terminal-"));
    undo.push({ what: `the terminal's disk ${disk} could not be removed`, step: () => rm(disk, { recursive: true, force: true }) });
    const { participant_id: participantId, audience } = operatorKey;
    const client = createPetakClient({ baseUrl: url, signer: createRequestSigner({ participantId, keyId, privateJwk, audience }) });
    undo.push({ what: "the terminal's connections could not be closed", step: () => client.close() });
    const store = openAgentStore(join(disk, "agent.db"));
    undo.push({ what: "the terminal's memory could not be closed", step: () => store.close() });
    const cabinet = createSimulatedCabinet({ compartments: compartmentsOf(site) });
    const agent = createAgent({ client: client.agents, siteId: site.siteId, reportKey: { keyId, privateJwk }, store, cabinet, logger });
    undo.push({ what: "the terminal could not be stopped", step: () => agent.stop() });
    await orAborted(agent.start(), signal);
    return { agent, cabinet, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The doors that a site lists, or one for each place where it lists none. */
function compartmentsOf(site: Site): { compartmentId: string; sizeClassId: string }[] {
  if (site.compartments.length > 0) return site.compartments;
  return site.sizeClasses.flatMap(({ sizeClassId, installed }) =>
    Array.from({ length: installed }, (_, index) => ({ compartmentId: `${sizeClassId}-${index + 1}`, sizeClassId })),
  );
}
