import { Act, DeviceEventType, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { deposit, flushedInTime, notAccepted, startSite, type TestSite } from "./site.ts";

const reportsMax = 20;
const unsent = ({ store }: TestSite) => store.outbox.lastSequence() - store.outbox.acknowledgedSequence();
const junk = (site: TestSite) => site.agent.present({ token: "nothing" });

describe("an agent whose reports nobody takes", () => {
  it("takes no parcel in near the cap, gives those inside out in the reserve, opens nothing beyond it, and loses nothing", async () => {
    const site = await startSite({ agent: { unsentReportsMax: reportsMax } });
    const { gateway, agent } = site;
    const inside = [gateway.newReservation(), gateway.newReservation()];
    for (const [index, reservationId] of inside.entries()) {
      const compartmentId = await deposit(site, reservationId);
      await gateway.allowPin(reservationId, `1111111${index}`, { state: ReservationState.DEPOSITED, compartmentId });
    }
    gateway.changed();
    await agent.flushed();
    await agent.syncNow();
    gateway.isUp = false;
    while (unsent(site) < reportsMax - 2)
      site.store.outbox.append({ type: DeviceEventType.DOOR_REFUSED, refusal: "MALFORMED" }, site.timers.now());

    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    expect(await agent.present({ token })).toEqual({ opened: false, refusal: "NO_DEPOSITS" });
    // Strangers do not use up the reserve.
    for (let times = 0; times < 30; times += 1) expect(await junk(site)).toEqual(notAccepted);
    expect(await agent.present({ pin: "99999999" })).toEqual(notAccepted);
    expect(unsent(site)).toBe(reportsMax - 2);
    expect(await site.agent.present({ pin: "11111110" })).toMatchObject({ opened: true, act: Act.COLLECT, compartmentId: "A1" });
    site.cabinet.takeOut("A1");
    site.cabinet.closeDoor("A1");
    expect(await agent.present({ pin: "11111111" })).toEqual({ opened: false, refusal: "OUT_OF_ORDER" });
    expect(site.cabinet.contents()).toEqual(["A2"]);

    gateway.isUp = true;
    await agent.syncNow();
    await flushedInTime(site);
    await agent.syncNow();
    await flushedInTime(site);
    expect(await agent.present({ pin: "11111111" })).toMatchObject({ opened: true, compartmentId: "A2" });
    expect(await agent.present({ token })).toMatchObject({ opened: true });
    await flushedInTime(site);
    expect(gateway.eventNames().filter((name) => name === "PARCEL_COLLECTED")).toHaveLength(1);
    const counted = gateway.events.filter(({ type, refusals }) => type === DeviceEventType.DOOR_REFUSED && refusals !== undefined);
    expect(counted.reduce((sum, { refusals }) => sum + (refusals?.count ?? 0), 0)).toBeGreaterThanOrEqual(30);
  });
});
