import { reasonOf } from "@petak/client";
import { catalogue, type Site } from "@petak/protocol";
import { openAgentStore } from "../store/agent-store.ts";
import { afterByTimer } from "../timer.ts";
import { backoffMs, createPause } from "../uplink/pause.ts";

/** The site that a device has booted with. Undefined: it has never booted. */
export function siteIn(storePath: string): Site | undefined {
  const store = openAgentStore(storePath);
  try {
    return store.trustBundle() === undefined ? undefined : store.site();
  } finally {
    store.close();
  }
}

/** Boots until the gateway answers, as the agent itself does later. Throws what the gateway refuses for good, or the signal's reason. */
export async function firstSite(boot: () => Promise<{ site?: Site | undefined }>, signal: AbortSignal): Promise<Site> {
  const pause = createPause(afterByTimer);
  signal.addEventListener("abort", () => pause.wake(), { once: true });
  for (let failures = 1; ; failures++) {
    try {
      const { site } = await boot();
      if (site !== undefined) return site;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== undefined && catalogue[reason].retry === "no") throw error;
    }
    await pause.wait(backoffMs(failures, Math.random));
    signal.throwIfAborted();
  }
}
