import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agent, type AgentLogger, createAgent, createSimulatedCabinet, openAgentStore, type SimulatedCabinet } from "@petak/agent";
import { createPetakClient, createRequestSigner, generateKeyPair, type KeyFile, type PetakClient } from "@petak/client";
import { Mode, type Site } from "@petak/protocol";

/** A terminal in software: a real agent before a simulated cabinet. */
export interface SoftwareTerminal {
  agent: Agent;
  cabinet: SimulatedCabinet;
  /** Stops the agent, ends its key and removes its disk. */
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
}

/** Puts a terminal at a site: a key of its own, a disk of its own, every compartment empty. */
export async function openTerminal({ url, operator, operatorKey, site, logger }: TerminalOptions): Promise<SoftwareTerminal> {
  const { privateJwk, publicKey } = await generateKeyPair();
  const { key } = await operator.participants.registerKey({
    requestId: randomUUID(),
    publicKey,
    mode: operatorKey.mode === "live" ? Mode.LIVE : Mode.TEST,
    siteId: site.siteId,
    label: "terminal in software",
  });
  const keyId = key?.keyId ?? "";
  const { participant_id: participantId, audience } = operatorKey;
  const client = createPetakClient({ baseUrl: url, signer: createRequestSigner({ participantId, keyId, privateJwk, audience }) });
  const disk = await mkdtemp(join(tmpdir(), "petak-terminal-"));
  const store = openAgentStore(join(disk, "agent.db"));
  const cabinet = createSimulatedCabinet({ compartments: compartmentsOf(site) });
  const agent = createAgent({ client: client.agents, siteId: site.siteId, store, cabinet, logger });
  const close = async () => {
    await agent.stop();
    store.close();
    client.close();
    await rm(disk, { recursive: true, force: true });
    await operator.participants.revokeKey({ requestId: randomUUID(), keyId });
  };
  try {
    await agent.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { agent, cabinet, close };
}

/** The doors that a site lists, or one for each place where it lists none. */
function compartmentsOf(site: Site): { compartmentId: string; sizeClassId: string }[] {
  if (site.compartments.length > 0) return site.compartments;
  return site.sizeClasses.flatMap(({ sizeClassId, installed }) =>
    Array.from({ length: installed }, (_, index) => ({ compartmentId: `${sizeClassId}-${index + 1}`, sizeClassId })),
  );
}
