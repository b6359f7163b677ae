import { Act } from "@petak/protocol";
import { createManualTimers } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { guardCabinet } from "../src/cabinet/guarded-cabinet.ts";
import type { Cabinet } from "../src/index.ts";
import { createSimulatedCabinet, type SimulatedCabinet } from "../src/simulation/index.ts";
import { compartments, deposit, lastRefusal, startSite, until } from "./site.ts";

/** A site whose cabinet is driven by a stranger's code: what it does in place of the simulated hardware. */
async function startDriven(does: (hardware: SimulatedCabinet) => Partial<Cabinet>) {
  const timers = createManualTimers(Date.UTC(2026, 10, 24, 12));
  const hardware = createSimulatedCabinet({ compartments });
  const asked: string[] = [];
  const said: string[] = [];
  const own = does(hardware);
  const driver: Cabinet = {
    ...hardware,
    ...own,
    open(compartmentId) {
      asked.push(compartmentId);
      return (own.open ?? hardware.open)(compartmentId);
    },
  };
  const say = (_: object, message: string) => void said.push(message);
  const logger = { info: say, warn: say, error: say };
  const guarded = guardCabinet(driver, { compartments, logger, after: timers.after });
  const site = await startSite({ timers, cabinet: { ...hardware, ...guarded } });
  return { ...site, site, hardware, asked, said, timers };
}

const outOfOrder = { opened: false, refusal: "OUT_OF_ORDER" };

describe("a cabinet driver", () => {
  it("whose lock does not answer opens no other door, and a door that opens late is explained", async () => {
    const answer = Promise.withResolvers<void>();
    const { site, agent, gateway, hardware, asked, said, timers, store } = await startDriven(() => ({ open: () => answer.promise }));
    const reservationId = gateway.newReservation();
    const shown = agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) });
    await until(() => asked.length === 1);
    timers.advance(10_000);
    expect(await shown).toEqual(outOfOrder);
    expect(await lastRefusal(site)).toBe("LOCK_FAILED");
    expect([asked, store.compartment("A1").condition]).toEqual([["A1"], "LOCK_FAILED"]);
    await hardware.open("A1");
    answer.resolve();
    hardware.putIn("A1");
    hardware.closeDoor("A1");
    await agent.flushed();
    expect(gateway.eventNames()).toEqual(["DOOR_REFUSED", "DOOR_OPENED", "DOOR_CLOSED", "PARCEL_DEPOSITED"]);
    expect(gateway.events.at(-1)).toMatchObject({ reservationId, compartmentId: "A1" });
    await until(() => said.includes("the lock of A1 has answered late"));
  });

  it("whose lock fails while its door is not certainly closed opens no other door", async () => {
    const { site, agent, gateway, asked } = await startDriven((hardware) => ({
      async open(compartmentId) {
        await hardware.open(compartmentId);
        throw new Error("the wire broke");
      },
    }));
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toEqual(outOfOrder);
    await lastRefusal(site);
    expect([asked, gateway.eventNames()]).toEqual([["A1"], ["DOOR_REFUSED", "DOOR_OPENED"]]);
  });

  it("that throws at once has not opened the door, and the next one opens", async () => {
    const { agent, gateway, asked } = await startDriven((hardware) => ({
      open(compartmentId) {
        if (compartmentId === "A1") throw new TypeError("not a door");
        return hardware.open(compartmentId);
      },
    }));
    const shown = await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) });
    expect([shown, asked]).toEqual([expect.objectContaining({ opened: true, compartmentId: "A2" }), ["A1", "A2"]]);
  });

  it("whose sensors fail takes nothing in, and puts in doubt what may have been taken out", async () => {
    let isBroken = false;
    const { site, agent, gateway, said, hardware, timers, store } = await startDriven((sensors) => ({
      doorState: (id) => (isBroken ? ("AJAR" as "OPEN") : sensors.doorState(id)),
      occupancy(id) {
        if (isBroken) throw new Error("no reading");
        return sensors.occupancy(id);
      },
    }));
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await agent.flushed();
    isBroken = true;
    const refused = await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) });
    expect(refused).toEqual({ opened: false, refusal: "NO_PLACE_FREE" });
    expect(await agent.present({ token: await gateway.token(Act.COLLECT, reservationId) })).toMatchObject({ compartmentId: "A1" });
    hardware.takeOut("A1");
    hardware.closeDoor("A1");
    await agent.flushed();
    expect(said.filter((message) => message.includes("A1"))).toEqual([
      "the door sensor of A1 cannot be read",
      "the occupancy sensor of A1 cannot be read",
    ]);
    timers.advance(120_000);
    await until(() => store.visits().length === 0);
    await agent.flushed();
    expect(gateway.eventNames().slice(-2)).toEqual(["DOOR_OPENED", "DOUBT"]);
    expect(store.compartment("A1")).toMatchObject({ condition: "IN_DOUBT", reservationId });
  });
});
