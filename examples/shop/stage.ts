import { randomUUID } from "node:crypto";
import { type InstalledTerminal, installTerminal } from "@petak/agent/simulation";
import { createPetakClient, type KeyFile, type PetakClient, signerOfKeyFile } from "@petak/client/node";
import { Act } from "@petak/protocol";
import type { Order } from "./orders.ts";

/** Plays whoever a shop does not: the courier who brings the parcel, and the buyer at the door. For demonstrations only: it has the operators' keys. */
export interface Stage {
  /** Puts an order's parcel into the place. Throws if the door stays shut. */
  deposit(order: Order): Promise<void>;
  /** Takes it out with the buyer's PIN. Throws if the door stays shut. */
  collect(order: Order, pin: string): Promise<void>;
  /** Removes the terminals. */
  close(): Promise<void>;
}

export interface StageOptions {
  gatewayUrl: string;
  /** The shop's, which issues the courier's credential. */
  client: PetakClient;
  /** By participant id. */
  operatorKeys: ReadonlyMap<string, KeyFile>;
  /** Receives what went wrong in the background. */
  onError: (error: Error) => void;
}

/** How many terminals stand at once; the oldest makes room. */
const maxTerminals = 8;

/** Opens a stage. A real terminal in software is installed at a place when somebody first plays there, and opens by its own judgement. */
export function openStage({ gatewayUrl, client, operatorKeys, onError }: StageOptions): Stage {
  const terminals = new Map<string, Promise<InstalledTerminal>>();
  const warn = (_facts: object, message: string) => onError(new Error(`the simulated terminal: ${message}`));

  async function install(siteId: string, operatorId: string): Promise<InstalledTerminal> {
    const operatorKey = operatorKeys.get(operatorId);
    if (operatorKey === undefined) throw new Error(`there is no key of the operator ${operatorId}`);
    const operator = createPetakClient({ baseUrl: gatewayUrl, signer: signerOfKeyFile(operatorKey) });
    const { site } = await operator.directory.getSite({ siteId });
    if (site === undefined) throw new Error(`the gateway does not know ${siteId}`);
    const logger = { info: () => undefined, warn, error: warn };
    const terminal = await installTerminal({ url: gatewayUrl, operator, operatorKey, site, logger });
    await terminal.start();
    return terminal;
  }

  async function terminalAt({ siteId, operatorId }: Order["reservation"]): Promise<InstalledTerminal> {
    const known = terminals.get(siteId) ?? install(siteId, operatorId);
    terminals.delete(siteId);
    terminals.set(siteId, known);
    const [oldest] = terminals;
    if (oldest !== undefined && terminals.size > maxTerminals) {
      terminals.delete(oldest[0]);
      void oldest[1].then((terminal) => terminal.remove(), onError);
    }
    try {
      return await known;
    } catch (error) {
      terminals.delete(siteId);
      throw error;
    }
  }

  async function visit({ reservation }: Order, credential: { token: string } | { pin: string }): Promise<void> {
    const terminal = await terminalAt(reservation);
    // It may have heard of the credential only by the next of its regular calls.
    await terminal.agent.syncNow();
    const presentation = await terminal.visit(credential);
    if (!presentation.opened) throw new Error(`the terminal refused the credential: ${presentation.refusal}`);
  }

  return {
    async deposit(order) {
      const { reservationId } = order.reservation;
      const { accessToken } = await client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
      await visit(order, { token: accessToken });
    },
    collect: (order, pin) => visit(order, { pin }),
    async close() {
      for (const terminal of terminals.values()) await terminal.then((one) => one.remove(), onError);
    },
  };
}
