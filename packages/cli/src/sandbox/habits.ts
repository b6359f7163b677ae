import { randomUUID } from "node:crypto";
import { LockUncertainError } from "@petak/agent";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { Act, LiveReservations, ReservationState } from "@petak/protocol";
import { SandboxBehaviour } from "@petak/protocol/sandbox";
import { createGate } from "./gate.ts";
import { type SandboxClock, type SiteHabits, type SiteScene, withinMs } from "./sandbox-site.ts";
import { siteInit } from "./sites.ts";

/** How long the same credential may open again, in ms: a person who tries the sandbox does not wait two minutes. */
export const shortGraceMs = 2000;

/** How late reports come at the slow site, in ms. */
const reportDelayMs = 20_000;

/** When the offline site reaches its gateway after a visit, in ms: after `deposit_until`, which is a minute after Confirm. */
const offlineMs = 90_000;

/** How often it does without a visit, in ms: the keys by which it verifies tokens are good for a week. */
const contactEveryMs = 3_600_000;

/** How long a contact may take, in ms. */
const contactMs = 10_000;

/** How long a site stands after somebody has confirmed a reservation there, and how long it is retired, in ms. */
const retirement = { afterMs: 5000, forMs: 10_000 };

/** What is special at the sites of each behaviour, and which facts do not say. */
export const habitsOf: ReadonlyMap<SandboxBehaviour, (clock: SandboxClock) => SiteHabits> = new Map<
  SandboxBehaviour,
  (clock: SandboxClock) => SiteHabits
>([
  [SandboxBehaviour.FULL, () => ({ prepare: fill })],
  [SandboxBehaviour.JAMMED, jammed],
  [SandboxBehaviour.SLOW, slow],
  [SandboxBehaviour.OFFLINE, offline],
  // The person opens the door, and closes it without a parcel.
  [SandboxBehaviour.IN_DOUBT, () => ({ useDoor: ({ cabinet }, { compartmentId }) => cabinet.closeDoor(compartmentId) })],
  [SandboxBehaviour.RETIRED, retired],
]);

/** No place is in service: what is on offer follows from the device's word, as at a store whose shelf is full. */
async function fill({ terminal: { agent, store } }: SiteScene): Promise<void> {
  const inService = new Map(store.site()?.sizeClasses.map(({ sizeClassId }) => [sizeClassId, 0]));
  await agent.setIntake({ paused: false, inService });
  await agent.flushed();
}

/**
 * No lock opens, and none says so, so that each visit tries one door only. A mechanic comes after each visit, in vain: without one the site would soon have no place
 * on offer.
 */
function jammed({ after }: SandboxClock): SiteHabits {
  let cancelMending: () => void = () => undefined;
  const mend = async ({ agent, store, cabinet }: SimulatedTerminal) => {
    for (const { compartmentId } of cabinet.compartments()) {
      if (store.compartment(compartmentId).condition === "LOCK_FAILED") await agent.markChecked(compartmentId);
    }
  };
  return {
    async prepare({ terminal }) {
      terminal.cabinet.open = (compartmentId) =>
        Promise.reject(new LockUncertainError(`the lock of compartment '${compartmentId}' is jammed`));
      await mend(terminal);
    },
    afterVisit({ terminal }) {
      cancelMending();
      // Not while the visit lasts: a door that opens late is to have its explanation.
      cancelMending = after(shortGraceMs + 500, () => void mend(terminal).catch(() => undefined));
    },
    stop: () => cancelMending(),
  };
}

/** Reports of a visit come late, and everything else in time. */
function slow({ after }: SandboxClock): SiteHabits {
  const gate = createGate(["reportEvents"]);
  let cancelOpening: (() => void) | undefined;
  return {
    ...{ gate, isLate: true },
    beforeVisit({ terminal }) {
      gate.setOpen(false);
      cancelOpening ??= after(reportDelayMs, () => {
        cancelOpening = undefined;
        gate.setOpen(true);
        // Ends the pause before the agent's next attempt.
        void terminal.agent.syncNow().catch(() => undefined);
      });
    },
    stop: () => cancelOpening?.(),
  };
}

/** The terminal reaches its gateway only now and then, for a moment. */
function offline({ after }: SandboxClock): SiteHabits {
  const gate = createGate();
  let cancelContact: () => void = () => undefined;
  let isDue = false;

  async function contact({ terminal: { agent } }: SiteScene): Promise<void> {
    gate.setOpen(true);
    await agent.syncNow().catch(() => undefined);
    await withinMs(contactMs, agent.flushed());
    // By the reports the gateway knows what is inside: before them it had no reservation for it any more.
    await agent.syncNow().catch(() => undefined);
    gate.setOpen(false);
  }
  function contactIn(delayMs: number, scene: SiteScene): void {
    cancelContact();
    cancelContact = after(delayMs, () => {
      isDue = false;
      void contact(scene);
      contactIn(contactEveryMs, scene);
    });
  }
  return {
    ...{ gate, isLate: true },
    async prepare(scene) {
      await contact(scene);
      contactIn(contactEveryMs, scene);
    },
    beforeVisit(scene) {
      if (!isDue) contactIn(offlineMs, scene);
      isDue = true;
    },
    stop: () => cancelContact(),
  };
}

/** The operator retires the site some seconds after somebody has confirmed a reservation there, and puts it back later. */
function retired({ now }: SandboxClock): SiteHabits {
  let confirmedMs: number | undefined;
  let retiredMs: number | undefined;
  return {
    hearsAtOnce: true,
    async care({ terminal: { store }, operator: { directory }, siteId, facts }) {
      if (retiredMs !== undefined) {
        if (now() < retiredMs + retirement.forMs) return;
        await directory.upsertSites({ requestId: randomUUID(), sites: [siteInit(facts)] });
        retiredMs = undefined;
      }
      // The agent's list has what is confirmed.
      const isExpected = store.allowances.all().some(({ act, state }) => act === Act.DEPOSIT && state === ReservationState.CONFIRMED);
      confirmedMs = isExpected ? (confirmedMs ?? now()) : undefined;
      if (confirmedMs === undefined || now() < confirmedMs + retirement.afterMs) return;
      await directory.retireSites({ requestId: randomUUID(), siteIds: [siteId], liveReservations: LiveReservations.CANCEL });
      [confirmedMs, retiredMs] = [undefined, now()];
    },
  };
}
