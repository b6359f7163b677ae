import { Act, type Site } from "@petak/protocol";
import type { Agent } from "../agent.ts";
import { credentialOf } from "../decision/credential-of.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { Device } from "./data-directory.ts";
import type { LinkState, Tell } from "./facts.ts";
import type { Link } from "./link.ts";

/** A device whose agent runs. */
export interface RunningDevice {
  readonly device: Device;
  /** Undefined before the first boot. */
  site(): Site | undefined;
  link(): LinkState;
  /** Reports that the gateway has not acknowledged. */
  unsent(): number;
  /** Presents a PIN or a token as it was scanned or typed. After a token may come, with spaces between, the proof of presence and for SERVICE the door to open. */
  present(text: string): Promise<void>;
  /** Shows a new challenge, for the holder of a token that is bound to a key. Throws while the agent does not run. */
  challenge(): void;
  /** Asks the gateway what has changed, now. Nothing happens if it is not reached. */
  syncNow(): Promise<void>;
  /** Stops the agent after the decision in progress. */
  stop(): Promise<void>;
}

/** A running device over its agent, with what devices do alike: all but the presentation of a code. */
export function runDevice({
  device,
  store,
  link,
  agent,
  tell,
  present,
  stop,
}: {
  agent: Agent;
  store: AgentStore;
  link: Link;
  tell: Tell;
} & Pick<RunningDevice, "device" | "present" | "stop">): RunningDevice {
  return {
    device,
    site: () => store.site(),
    link: link.state,
    unsent: () => store.outbox.lastSequence() - store.outbox.acknowledgedSequence(),
    present,
    challenge: () => tell({ event: "challenge", ...agent.challenge() }),
    syncNow: () => agent.syncNow().catch(() => undefined),
    stop,
  };
}

/**
 * A device whose link can be cut, for whoever tries what works without it. One with real locks cannot: a scanner writes to its standard input what strangers show.
 */
export interface CuttableDevice extends RunningDevice {
  /** Cuts the link to the gateway, or restores it. */
  setLink(isCut: boolean): void;
}

/** Makes {@link CuttableDevice.setLink}. @param agent the one that runs then */
export function linkSetter(link: Link, agent: () => Pick<Agent, "syncNow">): CuttableDevice["setLink"] {
  return (isCut) => {
    link.cut(isCut);
    // Tells the agent before its next attempt.
    if (!isCut)
      agent()
        .syncNow()
        .catch(() => undefined);
  };
}

/** Presents what was scanned or typed to an agent, and tells the decision. */
export async function presentText(agent: Pick<Agent, "present">, text: string, tell: Tell): Promise<void> {
  const shown = await agent.present(credentialOf(text));
  if (!shown.opened) return tell({ event: "decision", opened: false, refusal: shown.refusal });
  const { compartmentId, act, doorsToCome } = shown;
  tell({ event: "decision", opened: true, compartmentId, act: nameOf(act), doorsToCome });
}

function nameOf(act: Act): string {
  return Object.entries(Act).find(([, value]) => value === act)?.[0] ?? String(act);
}
