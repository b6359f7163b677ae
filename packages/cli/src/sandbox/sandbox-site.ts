import type { Presentation } from "@petak/agent";
import type { OpenDoor, SimulatedTerminal } from "@petak/agent/simulation";
import type { SandboxPlace, SandboxVisit, ShownAtSandbox } from "@petak/gateway";
import { Act } from "@petak/protocol";
import { SandboxRefusal } from "@petak/protocol/sandbox";

/** What is special at a site. The defaults are those of a plain one. */
export interface SiteHabits {
  /** After the terminal has started. */
  prepare?(terminal: SimulatedTerminal): void | Promise<void>;
  /** What a person does at the door that opened. Default: {@link useDoor}. */
  useDoor?(terminal: SimulatedTerminal, door: OpenDoor): void;
  /** After a visit whose reports are written. */
  afterVisit?(terminal: SimulatedTerminal): void;
  /** True: nobody waits until the gateway has the reports. Default false. */
  isLate?: boolean;
}

/** A site whose terminal runs. */
export interface SandboxSite extends SandboxPlace {
  visit(shown: ShownAtSandbox): Promise<SandboxVisit>;
}

/** How long a visit waits until the gateway has its reports, in ms: it is on the same machine. */
const reportedWithinMs = 5000;

/** Makes a site of a terminal that runs. One person at a time stands before it. */
export function createSandboxSite(place: SandboxPlace, terminal: SimulatedTerminal, habits: SiteHabits): SandboxSite {
  let last: Promise<unknown> = Promise.resolve();

  async function visitNow(shown: ShownAtSandbox): Promise<SandboxVisit> {
    // The agent may hear of a PIN by its next regular call only.
    await terminal.agent.syncNow().catch(() => undefined);
    const first = await terminal.agent.present(shown);
    for (let door = first.opened ? first : undefined; door !== undefined; door = terminal.nextDoor(door)) {
      (habits.useDoor ?? useDoor)(terminal, door);
      await terminal.agent.desk.written();
    }
    if (habits.isLate !== true) await withinMs(reportedWithinMs, terminal.agent.flushed());
    habits.afterVisit?.(terminal);
    return visitOf(first);
  }

  return {
    ...place,
    visit(shown) {
      const visited = last.then(() => visitNow(shown));
      last = visited.catch(() => undefined);
      return visited;
    },
  };
}

/** Puts a parcel in, or takes it out, as the credential says, and closes the door. Somebody who comes back within the grace period leaves it as it is. */
function useDoor({ cabinet }: SimulatedTerminal, { act, compartmentId }: OpenDoor): void {
  const isInside = cabinet.contents().includes(compartmentId);
  if (act === Act.DEPOSIT && !isInside) cabinet.putIn(compartmentId);
  if ((act === Act.COLLECT || act === Act.RECALL) && isInside) cabinet.takeOut(compartmentId);
  cabinet.closeDoor(compartmentId);
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
