import { randomUUID } from "node:crypto";
import { LockUncertainError } from "@petak/agent";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { Act, LiveReservations, ReservationState } from "@petak/protocol";
import { SandboxBehaviour } from "@petak/protocol/sandbox";
import { delayReports } from "./delay-reports.ts";
import { createGate } from "./gate.ts";
import type { SandboxClock, SiteHabits, SiteScene } from "./sandbox-site.ts";
import { siteInit } from "./sites.ts";

/** How long the same credential may open again, in ms: a person who tries the sandbox does not wait two minutes. */
export const shortGraceMs = 2000;

/** How late reports come at the slow site, in ms. */
const reportDelayMs = 20_000;

/** How late they come at the offline site, in ms: after `deposit_until`, which is a minute after Confirm. */
const offlineMs = 90_000;

/** How often the offline site hears from its gateway, in ms: the keys by which it verifies tokens are good for a week. */
const contactEveryMs = 3_600_000;

/** Pause before it tries again where it was not reached, in ms. */
const contactAgainMs = 10_000;

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
  [SandboxBehaviour.IN_DOUBT, () => ({ hasParcels: false })],
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
    hasParcels: false,
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

/** Reports come late, and everything else in time. */
function slow(clock: SandboxClock): SiteHabits {
  return { isLate: true, wrap: (agents) => delayReports(agents, reportDelayMs, clock) };
}

/** The terminal hears from its gateway only now and then, for a moment, and its reports come late. */
function offline(clock: SandboxClock): SiteHabits {
  const gate = createGate();
  let cancelContact: () => void = () => undefined;

  async function contact(scene: SiteScene): Promise<void> {
    gate.setOpen(true);
    const isReached = await scene.terminal.agent.syncNow().then(
      () => true,
      () => false,
    );
    gate.setOpen(false);
    cancelContact = clock.after(isReached ? contactEveryMs : contactAgainMs, () => void contact(scene));
  }
  return {
    isLate: true,
    wrap: (agents) => gate.wrap(delayReports(agents, offlineMs, clock)),
    prepare: contact,
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
      // Before the call: it may be made and its answer lost, and the site is to come back in any case.
      [confirmedMs, retiredMs] = [undefined, now()];
      await directory.retireSites({ requestId: randomUUID(), siteIds: [siteId], liveReservations: LiveReservations.CANCEL });
    },
  };
}
