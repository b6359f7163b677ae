import { Act, ReservationState, SiteLifecycle } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { newHolder } from "../src/simulation/index.ts";
import { deposit, lastRefusal, pin, startSite, type TestSite, until } from "./site.ts";

const { ACTIVE, MAINTENANCE, DECOMMISSIONED } = SiteLifecycle;
const noDeposits = { opened: false, refusal: "NO_DEPOSITS" };

/** The operator changes the site, of which the agent does not know yet. */
function change({ gateway }: TestSite, changes: { lifecycle?: SiteLifecycle; draining?: boolean }): void {
  gateway.site = { ...gateway.site, ...changes, revision: (gateway.site.revision ?? 0) + 1 };
}

const depositToken = ({ gateway }: TestSite) => gateway.token(Act.DEPOSIT, gateway.newReservation());

describe("a site that is out of service", () => {
  it("takes nothing in from the next sync on, offline and after a restart too, and the same token opens one sync after it is back", async () => {
    const site = await startSite();
    const { gateway } = site;
    const token = await depositToken(site);
    change(site, { lifecycle: MAINTENANCE });
    await site.agent.syncNow();
    expect(await site.agent.present({ token })).toEqual(noDeposits);
    expect(await lastRefusal(site)).toBe("SITE_OUT_OF_SERVICE");
    gateway.isUp = false;
    await site.restart();
    expect(await site.agent.present({ token })).toEqual(noDeposits);
    gateway.isUp = true;
    change(site, { lifecycle: ACTIVE });
    await site.agent.syncNow();
    expect(await site.agent.present({ token })).toMatchObject({ opened: true });
  });

  it("gives everything out: to who collects, takes back or works there", async () => {
    const site = await startSite();
    const { gateway, cabinet } = site;
    const [byToken, byPin, toRecall] = [gateway.newReservation(), gateway.newReservation(), gateway.newReservation()];
    for (const reservationId of [byToken, byPin, toRecall]) await deposit(site, reservationId);
    await gateway.allowPin(byPin, pin, { state: ReservationState.DEPOSITED });
    change(site, { lifecycle: DECOMMISSIONED });
    await site.agent.syncNow();
    const holder = await newHolder();
    const recall = await gateway.token(Act.RECALL, toRecall, { holderKeyHash: holder.keyHash });
    const service = await gateway.serviceToken(holder.keyHash);
    for (const shown of [
      { token: await gateway.token(Act.COLLECT, byToken) },
      { pin },
      await holder.show(site, recall),
      await holder.show(site, service, { compartmentId: "B1" }),
    ]) {
      expect(await site.visit(shown)).toMatchObject({ opened: true });
    }
    expect(cabinet.contents()).toEqual([]);
    expect(gateway.eventNames().filter((name) => name.startsWith("PARCEL_") && name !== "PARCEL_DEPOSITED")).toEqual([
      "PARCEL_COLLECTED",
      "PARCEL_COLLECTED",
      "PARCEL_RECALLED",
    ]);
  });

  it("completes a deposit whose door was open when it heard, and lets it be tried again within its grace", async () => {
    const site = await startSite();
    const { agent, gateway, cabinet, store } = site;
    const token = await depositToken(site);
    expect(await agent.present({ token })).toMatchObject({ compartmentId: "A1" });
    change(site, { lifecycle: MAINTENANCE });
    await agent.syncNow();
    cabinet.closeDoor("A1");
    await agent.flushed();
    expect(await agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A1" });
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    await until(() => store.visits().length === 0);
    await agent.flushed();
    expect(gateway.eventNames().at(-1)).toBe("PARCEL_DEPOSITED");
  });

  it("that is draining takes in what it has promised", async () => {
    const site = await startSite();
    change(site, { lifecycle: DECOMMISSIONED, draining: true });
    await site.agent.syncNow();
    expect(await site.agent.present({ token: await depositToken(site) })).toMatchObject({ opened: true });
  });

  it("is heard by the next call of an agent whose line was cut between hearing of a change and getting it", async () => {
    const site = await startSite();
    const { gateway } = site;
    change(site, { lifecycle: MAINTENANCE });
    gateway.calls.length = 0;
    gateway.changed();
    const line = gateway.agents.boot;
    gateway.agents.boot = () => Promise.reject(new Error("the line was cut"));
    await expect(site.agent.syncNow()).rejects.toThrow("the line was cut");
    gateway.agents.boot = line;
    await site.agent.syncNow();
    await site.agent.syncNow();
    expect(gateway.calls).toEqual(["sync", "sync", "boot", "sync"]);
    expect(await site.agent.present({ token: await depositToken(site) })).toEqual(noDeposits);
  });
});
