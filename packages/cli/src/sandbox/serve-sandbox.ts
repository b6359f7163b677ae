import { setTimeout as sleep } from "node:timers/promises";
import { readKeyFile } from "@petak/client/node";
import type { Sandbox, SandboxVisit, ShownAtSandbox } from "@petak/gateway";
import { PetakError } from "@petak/protocol";
import { isThere } from "../is-there.ts";
import { type OpenedSandbox, type OpenSandboxOptions, openSandbox, operatorKeyPath } from "./open-sandbox.ts";

/** A sandbox that opens while its gateway serves others. */
export interface ServedSandbox {
  /** Undefined while it opens. */
  current(): Sandbox | undefined;
  /** Whether a participant is its operator. */
  isOperator(participantId: string): boolean;
  /** Begins to open it, once the gateway listens. */
  begin(options: Omit<OpenSandboxOptions, "dataDir" | "onOperator">): void;
  stop(): Promise<void>;
}

/** Pause before the next attempt to open it, in ms. */
const retryMs = 10_000;

/** When a caller whose visit was cut off by the stop may try again, in ms. */
const retryAfterMs = 1000;

/** Makes it. What prevents it from opening is logged, and tried again: the gateway does without. */
export async function serveSandbox(dataDir: string): Promise<ServedSandbox> {
  const keyPath = operatorKeyPath(dataDir);
  let operatorId = (await isThere(keyPath)) ? (await readKeyFile(keyPath)).participant_id : undefined;
  const stopping = new AbortController();
  let opened: OpenedSandbox | undefined;
  let opening: Promise<void> = Promise.resolve();

  async function open(options: Omit<OpenSandboxOptions, "dataDir" | "onOperator">): Promise<void> {
    while (!stopping.signal.aborted && opened === undefined) {
      try {
        opened = await openSandbox({
          ...options,
          dataDir,
          onOperator(id) {
            operatorId = id;
          },
        });
        options.logger.info({ sites: opened.sites.length }, "the sandbox is open");
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.logger.error({ err: error, retryMs }, "the sandbox could not be opened");
        await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** Somebody who waits before a door when the sandbox stops comes again later. */
  async function visit(to: OpenedSandbox, siteId: string, shown: ShownAtSandbox): Promise<SandboxVisit> {
    try {
      return await to.visit(siteId, shown);
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
      const remedy = "send the same request again, or come with another credential if it is refused";
      throw new PetakError("SANDBOX_NOT_READY", `the sandbox is stopping; ${remedy}`, { retryAfterMs, cause: error });
    }
  }

  return {
    current() {
      const to = opened;
      if (to === undefined || stopping.signal.aborted) return undefined;
      return { sites: to.sites, visit: (siteId, shown) => visit(to, siteId, shown) };
    },
    isOperator: (participantId) => participantId === operatorId,
    begin(options) {
      opening = open(options);
    },
    async stop() {
      stopping.abort();
      await opening;
      await opened?.stop();
    },
  };
}
