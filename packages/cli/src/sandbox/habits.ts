import { LockUncertainError } from "@petak/agent";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { SandboxBehaviour } from "@petak/protocol/sandbox";
import type { SiteHabits } from "./sandbox-site.ts";

/** How long the same credential may open again at a site whose visits end without an outcome, in ms: a person who tries does not wait two minutes. */
export const shortGraceMs = 2000;

/** What is special at the sites of each behaviour, and which facts do not say. */
export const habitsOf: ReadonlyMap<SandboxBehaviour, () => SiteHabits> = new Map<SandboxBehaviour, () => SiteHabits>([
  [SandboxBehaviour.FULL, () => ({ prepare: fill })],
  [SandboxBehaviour.JAMMED, jammed],
]);

/** No place is in service: what is on offer follows from the device's word, as at a store whose shelf is full. */
async function fill({ agent, store }: SimulatedTerminal): Promise<void> {
  const inService = new Map(store.site()?.sizeClasses.map(({ sizeClassId }) => [sizeClassId, 0]));
  await agent.setIntake({ paused: false, inService });
  await agent.flushed();
}

/**
 * No lock opens, and none says so, so that each visit tries one door only. A mechanic comes after each visit, in vain: without one the site would soon have no place
 * on offer.
 */
function jammed(): SiteHabits {
  let mending: NodeJS.Timeout | undefined;
  const mend = async ({ agent, store, cabinet }: SimulatedTerminal) => {
    for (const { compartmentId } of cabinet.compartments()) {
      if (store.compartment(compartmentId).condition === "LOCK_FAILED") await agent.markChecked(compartmentId);
    }
  };
  return {
    async prepare(terminal) {
      terminal.cabinet.open = (compartmentId) =>
        Promise.reject(new LockUncertainError(`the lock of compartment '${compartmentId}' is jammed`));
      await mend(terminal);
    },
    afterVisit(terminal) {
      clearTimeout(mending);
      // Not while the visit lasts: a door that opens late is to have its explanation.
      mending = setTimeout(() => void mend(terminal).catch(() => undefined), shortGraceMs + 500);
    },
  };
}
