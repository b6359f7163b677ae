import { randomUUID } from "node:crypto";
import { type InstalledTerminal, newHolder } from "@petak/agent/simulation";
import { Act, type Site } from "@petak/protocol";
import { ask, CallFailed, servicePatienceMs, timed } from "./calls.ts";
import type { City } from "./city.ts";
import { shownAs } from "./shown-as.ts";
import type { Door } from "./terminals.ts";

/** The operators' technicians: one comes to a terminal some time after a lock has failed there, and again if it fails once more. */
export function createTechnicians(city: () => City): City["lockFailed"] {
  const expected = new Set<string>();
  return function lockFailed(site) {
    const { faults, schedule } = city();
    if (expected.has(site.siteId) || faults.repairMs === Number.POSITIVE_INFINITY) return;
    expected.add(site.siteId);
    schedule.after(faults.repairMs, async () => {
      expected.delete(site.siteId);
      if (!(await repair(city(), site))) lockFailed(site);
    });
  };
}

/** Opens each door whose lock has failed, as the operator's technician. Returns whether all work. */
async function repair(city: City, site: Site): Promise<boolean> {
  try {
    const door = await city.doors.at(site);
    return (await door?.use(async (terminal) => await repairAll(city, site, door, terminal))) ?? false;
  } catch (error) {
    if (error instanceof CallFailed) return false;
    throw error;
  }
}

async function repairAll(city: City, site: Site, door: Door, terminal: InstalledTerminal): Promise<boolean> {
  const { siteId } = site;
  const isFailed = ({ compartmentId }: { compartmentId: string }) => terminal.store.compartment(compartmentId).condition === "LOCK_FAILED";
  const reservations = city.doors.operatorOf(site)?.reservations;
  if (reservations === undefined) return true;
  const technician = await newHolder();
  for (const { compartmentId } of terminal.cabinet.compartments().filter(isFailed)) {
    // The operator names the door, since a parcel may be behind it.
    const request = { requestId: randomUUID(), act: Act.SERVICE, siteId, compartmentId, holderPublicKey: technician.publicKey };
    const send = (options: Parameters<typeof reservations.issueCredential>[1]) => reservations.issueCredential(request, options);
    const { accessToken } = await ask(city, { intention: 0, operation: "credential", siteId }, send, servicePatienceMs);
    const shown = await technician.show(terminal, accessToken, { compartmentId });
    const presentation = await timed(
      city,
      { intention: 0, operation: "door", siteId },
      () => terminal.agent.present(shown),
      (result) => (result.opened ? "OK" : result.refusal),
    );
    if (presentation.opened) terminal.useDoor(presentation);
    const about = { intention: 0, atMs: city.nowMs(), siteId, reservationId: "", act: "SERVICE", offline: door.isOffline() } as const;
    const outcome = presentation.opened
      ? ({ opened: true, compartmentId, isInside: terminal.cabinet.contents().includes(compartmentId) } as const)
      : ({ opened: false, refusal: presentation.refusal } as const);
    city.observe({ kind: "door", ...about, ...shownAs(shown), ...outcome });
  }
  return !terminal.cabinet.compartments().some(isFailed);
}
