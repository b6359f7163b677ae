import type { Presentation, TestClockFollower } from "@petak/agent";
import type { OpenDoor, SimulatedTerminal } from "@petak/agent/simulation";
import type { PetakClient } from "@petak/client/node";
import type { SandboxVisit, ShownAtSandbox } from "@petak/gateway";
import { Act } from "@petak/protocol";
import { SandboxRefusal } from "@petak/protocol/sandbox";
import type { AgentCalls } from "./gate.ts";
import type { SandboxSiteFacts } from "./sites.ts";

/** The clock of the gateway and of all terminals. */
export type SandboxClock = Pick<TestClockFollower, "now" | "after">;

/** A site with all that is there. */
export interface SiteScene {
  readonly siteId: string;
  readonly facts: SandboxSiteFacts;
  readonly terminal: SimulatedTerminal;
  /** A client of the site's operator. */
  readonly operator: PetakClient;
}

/** What is special at a site. The defaults are those of a plain one. */
export interface SiteHabits {
  /** The link of its terminal to the gateway. Default: one that is never cut. */
  readonly wrap?: (agents: AgentCalls) => AgentCalls;
  /** Whether its terminal hears at once of what changes at the gateway. Default false: before each visit, and once a minute. */
  readonly hearsAtOnce?: boolean;
  /** False: whoever comes for a deposit puts nothing in. Default true. */
  readonly hasParcels?: boolean;
  /** True: nobody waits until the gateway has the reports of a visit. Default false. */
  readonly isLate?: boolean;
  /** After the terminal has started. */
  prepare?(scene: SiteScene): void | Promise<void>;
  /** After a visit whose reports are written. */
  afterVisit?(scene: SiteScene): void;
  /** Every other second. */
  care?(scene: SiteScene): Promise<void>;
  /** Cancels what is to come. */
  stop?(): void;
}

/** A site at whose terminal people come. */
export interface SandboxSite {
  visit(shown: ShownAtSandbox): Promise<SandboxVisit>;
}

/** How long a visit waits until the gateway has its reports, in ms: it is on the same machine. */
const reportedWithinMs = 5000;

/** Lets people to a terminal that runs, one at a time. */
export function createSandboxSite(scene: SiteScene, habits: SiteHabits): SandboxSite {
  const { terminal } = scene;
  let last: Promise<unknown> = Promise.resolve();

  async function visitNow(shown: ShownAtSandbox): Promise<SandboxVisit> {
    // The agent may hear of a PIN by its next regular call only.
    await terminal.agent.syncNow().catch(() => undefined);
    const first = await terminal.agent.present(shown);
    for (let door = first.opened ? first : undefined; door !== undefined; door = terminal.nextDoor(door)) {
      useDoor(terminal, door, habits);
      await terminal.agent.desk.written();
    }
    if (habits.isLate !== true) await withinMs(reportedWithinMs, terminal.agent.flushed());
    habits.afterVisit?.(scene);
    return visitOf(first);
  }

  return {
    visit(shown) {
      const visited = last.then(() => visitNow(shown));
      last = visited.catch(() => undefined);
      return visited;
    },
  };
}

/** Puts a parcel in, or takes it out, as the credential says, and closes the door. Somebody who comes back within the grace period leaves it as it is. */
function useDoor({ cabinet }: SimulatedTerminal, { act, compartmentId }: OpenDoor, { hasParcels = true }: SiteHabits): void {
  try {
    const isInside = cabinet.contents().includes(compartmentId);
    if (act === Act.DEPOSIT && !isInside && hasParcels) cabinet.putIn(compartmentId);
    if ((act === Act.COLLECT || act === Act.RECALL) && isInside) cabinet.takeOut(compartmentId);
  } finally {
    cabinet.closeDoor(compartmentId);
  }
}

/** Waits for something, but not for long. Failures are the log's matter. */
async function withinMs(limitMs: number, work: Promise<void>): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  await Promise.race([work.catch(() => undefined), new Promise((resolve) => limit.addEventListener("abort", resolve))]);
}

function visitOf(shown: Presentation): SandboxVisit {
  if (!shown.opened) return { opened: false, refusal: SandboxRefusal[shown.refusal] };
  return { opened: true, compartmentId: shown.compartmentId, act: shown.act };
}
