import { Act, DeviceEventType } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { notAccepted, startSite, until } from "./site.ts";

const dayMs = 86_400_000;

describe("a device whose clock is wrong", () => {
  it("by a year opens nothing without its gateway, loses nothing, and goes on when the gateway has told the time", async () => {
    for (const wrongMs of [365 * dayMs, -365 * dayMs]) {
      const site = await startSite();
      const { gateway, timers, cabinet } = site;
      const reservationId = gateway.newReservation();
      const opened = await site.agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) });
      if (!opened.opened) throw new Error("the deposit was refused");
      site.useDoor(opened);
      await site.agent.flushed();
      const token = await gateway.token(Act.COLLECT, reservationId, { notBeforeMs: timers.now() - 600_000 });
      gateway.isUp = false;
      await site.restart({ now: () => timers.now() + wrongMs });
      expect(await site.agent.present({ token })).toEqual(notAccepted);
      timers.advance(3_600_000);
      expect(await site.agent.present({ token })).toEqual(notAccepted);
      expect(cabinet.contents()).toEqual(["A1"]);
      gateway.isUp = true;
      await site.agent.syncNow();
      expect(await site.agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A1" });
      await site.agent.flushed();
      const refusals = gateway.events.filter(({ type }) => type === DeviceEventType.DOOR_REFUSED).map(({ refusal }) => refusal);
      expect(refusals).toEqual(Array(2).fill(wrongMs > 0 ? "BUNDLE_EXPIRED" : "CLOCK_UNTRUSTED"));
    }
  });

  it("ends a grace period that began by a clock that was ahead, when the clock has been corrected", async () => {
    const site = await startSite();
    const { gateway, timers, cabinet } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation(), { expiresAtMs: timers.now() + 10 * dayMs });
    gateway.isUp = false;
    await site.restart({ now: () => timers.now() + dayMs });
    expect(await site.agent.present({ token })).toMatchObject({ opened: true });
    cabinet.closeDoor("A1");
    await until(() => site.store.visits()[0]?.phase === "CLOSED");
    gateway.isUp = true;
    await site.agent.syncNow();
    for (let minutes = 0; minutes < 5; minutes += 1) {
      timers.advance(60_000);
      await site.agent.flushed();
    }
    expect(site.store.visits()).toEqual([]);
    expect(gateway.eventNames().at(-1)).toBe("DOUBT");
    expect(await site.agent.present({ token })).toEqual(notAccepted);
  });
});
