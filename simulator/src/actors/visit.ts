import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Credential } from "@petak/agent";
import { type InstalledTerminal, newHolder, type OpenDoor } from "@petak/agent/simulation";
import { Act, type IssueCredentialResponse } from "@petak/protocol";
import { ask, CallFailed, servicePatienceMs, timed } from "./calls.ts";
import { placeEnds } from "./change.ts";
import type { City, Errand } from "./city.ts";
import type { Visited, Visitor } from "./life.ts";
import { shownAs } from "./shown-as.ts";
import type { Door } from "./terminals.ts";

/** How long somebody at a terminal waits until the gateway has its reports, in ms. */
const reportMs = 2000;

/** What a terminal says whose lock does not open. */
const lockFailure = "OUT_OF_ORDER";

/** Makes a visit, where the door is. A call that fails is a refusal too. */
export async function visit(city: City, life: Visitor, act: Errand["act"]): Promise<Visited> {
  return (await city.visitElsewhere?.(life, act)) ?? (await visitHere(city, life, act));
}

/** Shows a credential and uses the door. */
export async function visitHere(city: City, life: Visitor, act: Errand["act"]): Promise<Visited> {
  const site = await city.sites.find(life.siteId ?? "");
  try {
    const door = site === undefined ? undefined : await city.doors.at(site);
    if (door === undefined) return { opened: false, refusal: "NO_DOOR" };
    const credentialOf = credentials[act];
    const visited = await door.use(
      async (terminal) => await useDoor(city, life, act, door, terminal, await credentialOf(city, life, terminal)),
    );
    if (site !== undefined && visited?.opened === false && visited.refusal === lockFailure) city.lockFailed(site);
    return visited ?? { opened: false, refusal: "NO_POWER" };
  } catch (error) {
    if (error instanceof CallFailed) return { opened: false, refusal: error.outcome };
    // A terminal could not be installed.
    if (site !== undefined && !city.signal.aborted) return { opened: false, refusal: new CallFailed(error).outcome };
    throw error;
  }
}

/** What is shown for each act. */
const credentials: Readonly<Record<Errand["act"], (city: City, life: Visitor, terminal: InstalledTerminal) => Promise<Credential>>> = {
  DEPOSIT: async (city, life) => ({ token: (await issue(city, life, Act.DEPOSIT)).accessToken }),
  async COLLECT(city, life, terminal) {
    const { token, pin } = life.shown ?? (await issueToCollector(city, life));
    if (pin === "") return { token };
    const isKnown = terminal.store.allowances
      .of(life.reservationId ?? "")
      .some((one) => one.reservationId === life.reservationId && one.pinHash.length > 0);
    if (!isKnown) await terminal.agent.syncNow().catch(() => undefined);
    return { pin };
  },
  async RECALL(city, life, terminal) {
    const driver = await newHolder();
    const { accessToken } = await issue(city, life, Act.RECALL, { holderPublicKey: driver.publicKey });
    return await driver.show(terminal, accessToken);
  },
};

async function useDoor(
  city: City,
  life: Visitor,
  act: Errand["act"],
  door: Door,
  terminal: InstalledTerminal,
  credential: Credential,
): Promise<Visited> {
  const { intention, siteId = "", reservationId = "" } = life;
  const offline = door.isOffline();
  const about = { intention: intention.id, operation: "door", siteId, reservationId } as const;
  const presentation = await timed(
    city,
    about,
    () => terminal.agent.present(credential),
    (result) => (result.opened ? "OK" : result.refusal),
  );
  const fact = { intention: intention.id, atMs: city.nowMs(), siteId, reservationId, act, offline, ...shownAs(credential) } as const;
  if (!presentation.opened) {
    city.observe({ kind: "door", ...fact, opened: false, refusal: presentation.refusal });
    return { opened: false, refusal: presentation.refusal };
  }
  const { compartmentId } = presentation;
  if (act !== "DEPOSIT") placeEnds(city, life);
  const isRight = moveParcel(terminal, presentation);
  city.observe({ kind: "door", ...fact, opened: true, compartmentId, isInside: terminal.cabinet.contents().includes(compartmentId) });
  if (!offline) await reported(city, terminal, siteId);
  return isRight ? { opened: true } : { opened: false, refusal: "WRONG_CONTENTS" };
}

/** Puts the parcel in or takes it out. False if another one lies there, or none. */
function moveParcel(terminal: InstalledTerminal, door: OpenDoor): boolean {
  try {
    terminal.useDoor(door);
    return true;
  } catch {
    terminal.cabinet.closeDoor(door.compartmentId);
    return false;
  }
}

/** Waits until the gateway has the reports of a terminal, for some seconds. */
async function reported(city: City, { agent }: InstalledTerminal, siteId: string): Promise<void> {
  const isAcknowledged = await Promise.race([
    agent.flushed().then(
      () => true,
      () => false,
    ),
    delay(reportMs, false, { signal: city.signal }).catch(() => false),
  ]);
  if (isAcknowledged) city.observe({ kind: "reported", atMs: city.nowMs(), siteId });
}

/** Issues what the collector shows. */
export async function issueToCollector(city: City, life: Visitor): Promise<{ token: string; pin: string }> {
  const { accessToken, pin } = await issue(city, life, Act.COLLECT, { withPin: life.intention.collectBy === "PIN" });
  life.shown = { token: accessToken, pin };
  return life.shown;
}

async function issue(
  city: City,
  life: Visitor,
  act: Act,
  more: { withPin?: boolean; holderPublicKey?: Uint8Array<ArrayBuffer> } = {},
): Promise<IssueCredentialResponse> {
  const { intention, reservationId = "", courier } = life;
  const request = { requestId: randomUUID(), reservationId, act, ...more };
  const asked = { intention: intention.id, operation: "credential", reservationId } as const;
  return await ask(city, asked, (options) => courier.client.reservations.issueCredential(request, options), servicePatienceMs);
}
