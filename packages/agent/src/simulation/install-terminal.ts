import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPetakClient,
  createRequestSigner,
  generateKeyPair,
  type KeyFile,
  type PetakClient,
  type RequestSigner,
  signKeyPossession,
} from "@petak/client/node";
import { Mode, type Site } from "@petak/protocol";
import type { AgentOptions } from "../agent.ts";
import type { CabinetCompartment } from "../cabinet/cabinet.ts";
import { compartmentsOf } from "../cabinet/compartments-of.ts";
import type { AgentLogger } from "../logger.ts";
import type { SimulatedCabinet } from "./simulated-cabinet.ts";
import { createSimulatedTerminal, type SimulatedTerminal } from "./simulated-terminal.ts";

/** A terminal with its own key, registered by the site's operator. */
export interface InstalledTerminal extends SimulatedTerminal {
  /** Stops the agent, removes its database and revokes its key. Failures are logged and do not stop the other steps. */
  remove(): Promise<void>;
}

/** Options of {@link installTerminal}. */
export interface InstallTerminalOptions {
  /** The gateway's address. */
  url: string;
  /** Client of the site's operator, who registers the agent's key. */
  operator: PetakClient;
  /** The operator's key file, which has the participant, the gateway's audience and the mode. */
  operatorKey: KeyFile;
  site: Site;
  logger: AgentLogger;
  /** Test network only: the gateway's test clock, see {@link AgentOptions}. */
  testClock?: AgentOptions["testClock"];
  /** Makes the agent's client, which is closed with the terminal. Default: one with connections of its own. */
  connect?: (signer: RequestSigner) => { readonly agents: AgentOptions["client"]; close(): void };
  /** Makes the cabinet. Default: one without faults. What the gateway knows to be inside lies in it. */
  makeCabinet?: (compartments: readonly CabinetCompartment[]) => SimulatedCabinet;
  /** False: its database survives a restart of the agent, but not a power failure of this machine. Default true. */
  isDurable?: boolean;
  /** Further options of the agent. */
  agent?: Pick<AgentOptions, "refusalMs" | "random" | "software">;
}

/**
 * Installs a terminal at a site: a registered key, a database in a temporary directory, and in the compartments what the gateway knows. `start` starts the agent. Throws a ConnectError, and
 * leaves nothing behind, if the operator may not register the key.
 */
export async function installTerminal(options: InstallTerminalOptions): Promise<InstalledTerminal> {
  const { url, operator, operatorKey, site, logger, testClock, makeCabinet } = options;
  const { connect = (signer) => createPetakClient({ baseUrl: url, signer }) } = options;
  const { siteId } = site;
  const { participant_id: participantId, audience } = operatorKey;
  const mode = operatorKey.mode === "live" ? Mode.LIVE : Mode.TEST;
  const { privateJwk, publicKey } = await generateKeyPair();
  const label = "simulated terminal";
  const requestId = randomUUID();
  const possessionProof = await signKeyPossession(privateJwk, audience, { participantId, mode: operatorKey.mode, siteId, requestId });
  const { key } = await operator.participants.registerKey({ requestId, publicKey, mode, siteId, label, possessionProof });
  const keyId = key?.keyId ?? "";
  const undo: { what: string; step: () => unknown }[] = [
    {
      what: `the terminal's key ${keyId} could not be revoked`,
      step: () => operator.participants.revokeKey({ requestId: randomUUID(), keyId }),
    },
  ];
  const remove = async () => {
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
    const client = connect(createRequestSigner({ participantId, keyId, privateJwk, audience }));
    undo.push({ what: "the terminal's connections could not be closed", step: () => client.close() });
    const compartments = compartmentsOf(site);
    const terminal = createSimulatedTerminal({
      ...options.agent,
      client: client.agents,
      siteId,
      reportKey: { keyId, privateJwk },
      storePath: join(disk, "agent.db"),
      isDurable: options.isDurable ?? true,
      cabinet: makeCabinet === undefined ? compartments : makeCabinet(compartments),
      isNewCabinet: true,
      logger,
      ...(testClock && { testClock }),
    });
    undo.push({ what: "the terminal could not be stopped", step: () => terminal.stop() });
    return Object.assign(terminal, { remove });
  } catch (error) {
    await remove();
    throw error;
  }
}
