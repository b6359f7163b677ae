import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { AgentOptions } from "@petak/agent";
import { createSimulatedTerminal, type SimulatedTerminal } from "@petak/agent/simulation";
import { generateKeyPair, type KeyFile, type PetakClient, readKeyFile, signKeyPossession, writeKeyFile } from "@petak/client/node";
import { publicKeyOf } from "@petak/credential";
import { Act, Mode, type Site } from "@petak/protocol";
import { namedUuid } from "../demo/named-uuid.ts";
import { isThere } from "../is-there.ts";

/** Reports that wait at most. Strangers could else fill the disk at a site whose link is slow. */
const unsentReportsMax = 1000;

/** Options of {@link createTerminal}. */
export interface TerminalOptions extends Pick<AgentOptions, "client" | "logger" | "graceMs" | "watchesCommands" | "testClock"> {
  key: KeyFile;
  site: Site;
  /** The terminal's folder. */
  folder: string;
  /** Whether parcels are put in there. */
  hasParcels: boolean;
}

/**
 * Makes the terminal of a site, with the database that an earlier process has left of it. Where that ended while somebody was at a door, they have finished meanwhile
 * what they came for, and the sensors say so.
 */
export function createTerminal({ key, site, folder, hasParcels, ...options }: TerminalOptions): SimulatedTerminal {
  const { siteId, compartments } = site;
  const terminal = createSimulatedTerminal({
    ...{ ...options, siteId, unsentReportsMax, software: "petak sandbox" },
    reportKey: { keyId: key.key_id, privateJwk: key.private_jwk },
    storePath: join(folder, "agent.db"),
    cabinet: compartments,
  });
  const { store, cabinet } = terminal;
  const interrupted = new Map(store.visits().map(({ compartmentId, act }) => [compartmentId, act]));
  // What the agent has recorded is inside. Where it is in doubt there is nothing: parcels are in doubt here that were not put in, or were thrown away.
  const isInside = (compartmentId: string) => {
    const act = interrupted.get(compartmentId);
    if (act === Act.DEPOSIT) return hasParcels;
    if (act === Act.COLLECT || act === Act.RECALL) return false;
    const { reservationId, condition } = store.compartment(compartmentId);
    return reservationId !== "" && condition !== "IN_DOUBT";
  };
  cabinet.fill(compartments.map(({ compartmentId }) => compartmentId).filter(isInside));
  return terminal;
}

/** The key of a site's terminal, which is registered when it is first needed. Makes the folder. */
export async function ensureTerminalKey(owner: {
  operator: PetakClient;
  operatorKey: KeyFile;
  site: Site;
  folder: string;
}): Promise<KeyFile> {
  const { operator, operatorKey, site, folder } = owner;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "agent-key.json");
  if (await isThere(path)) return await readKeyFile(path);
  const { participant_id: participantId, audience } = operatorKey;
  const { siteId, operatorSiteRef: label } = site;
  const { privateJwk } = await generateKeyPair();
  const publicKey = publicKeyOf(privateJwk);
  const requestId = namedUuid("sandbox agent", siteId, Buffer.from(publicKey).toString("hex"));
  const possessionProof = await signKeyPossession(privateJwk, audience, { participantId, mode: "test", siteId, requestId });
  const { key } = await operator.participants.registerKey({ requestId, publicKey, siteId, mode: Mode.TEST, label, possessionProof });
  const keyFile: KeyFile = { participant_id: participantId, key_id: key?.keyId ?? "", mode: "test", audience, private_jwk: privateJwk };
  await writeKeyFile(path, keyFile);
  return keyFile;
}
