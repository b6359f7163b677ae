import { Code, ConnectError } from "@connectrpc/connect";
import { type PetakClient, reasonOf } from "@petak/client";
import { CodeStanding, type ResolveCodeResponse } from "@petak/protocol";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";
import type { After } from "../timer.ts";
import { epochOf } from "./epoch.ts";

/** How long somebody with a scanner in hand waits for the gateway, in ms. */
export const resolveMs = 3000;

/** Where the parcel with a code belongs, by the gateway's word. */
export type ResolvedCode = Pick<ResolveCodeResponse, "standing" | "otherSiteNames" | "isHeld">;

/** Asks the gateway about codes of labels that no allowance has. */
export interface CodeResolver {
  /**
   * Where the parcel with a code belongs. The allowances of one that is expected here are the agent's when it resolves. Undefined: the gateway has not answered within
   * {@link resolveMs}, cannot be reached, or does not tell.
   */
  resolve(code: string): Promise<ResolvedCode | undefined>;
  stop(): void;
}

/** Makes it. @param onContact called with whether the gateway was reached */
export function createCodeResolver(options: {
  client: Pick<PetakClient["agents"], "resolveCode">;
  siteId: string;
  store: AgentStore;
  logger: AgentLogger;
  after: After;
  onContact: (isReached: boolean) => void;
}): CodeResolver {
  const { client, siteId, store, logger, after, onContact } = options;
  const stopping = new AbortController();

  async function ask(code: string, signal: AbortSignal): Promise<ResolvedCode> {
    for (;;) {
      const version = store.syncVersion();
      const resolved = await client.resolveCode({ siteId, code, ...epochOf(store) }, { signal });
      onContact(true);
      if (resolved.standing !== CodeStanding.EXPECTED_HERE) return resolved;
      // What Sync brought meanwhile may be newer than this answer.
      if (store.syncVersion() !== version) continue;
      store.saveAllowances(resolved.allowances);
      return resolved;
    }
  }

  return {
    async resolve(code) {
      const late = new AbortController();
      const cancel = after(resolveMs, () => late.abort());
      const signal = AbortSignal.any([stopping.signal, late.signal]);
      try {
        return await ask(code, signal);
      } catch (error) {
        if (stopping.signal.aborted) return undefined;
        logger.warn({ err: error }, "the gateway could not be asked about a label");
        const isNoAnswer = late.signal.aborted || (reasonOf(error) === undefined && ConnectError.from(error).code !== Code.Unimplemented);
        // The next parcels do not wait for an answer either until the gateway has been reached again.
        if (isNoAnswer && !isStorageError(error)) onContact(false);
        return undefined;
      } finally {
        cancel();
      }
    },
    stop: () => stopping.abort(),
  };
}
