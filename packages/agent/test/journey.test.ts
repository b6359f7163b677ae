import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { credentialHash } from "@petak/credential";
import { Act, ProofKind } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { deposit, lastRefusal, notAccepted, pin, startSite, tokenIdOf, until } from "./site.ts";

describe("a journey", () => {
  it("is reported step by step, each step with its proof", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, store } = site;
    const reservationId = gateway.newReservation();
    expect(await deposit(site, reservationId)).toBe("A1");

    const token = await gateway.token(Act.COLLECT, reservationId);
    expect(await agent.present({ token })).toEqual({ opened: true, compartmentId: "A1", act: Act.COLLECT, doorsToCome: 0 });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    await agent.flushed();
    const opening = ["DOOR_OPENED", "DOOR_CLOSED"];
    expect(gateway.eventNames()).toEqual([...opening, "PARCEL_DEPOSITED", ...opening, "PARCEL_COLLECTED"]);
    expect(gateway.events[5]).toMatchObject({
      sequence: 6n,
      proofKind: ProofKind.ACCESS_TOKEN,
      credentialHash: await credentialHash(tokenIdOf(token)),
      act: Act.COLLECT,
      reservationId,
      compartmentId: "A1",
      offline: false,
    });
    expect(new Set(gateway.events.map(({ deviceEventId }) => deviceEventId)).size).toBe(6);
    expect(store.visits()).toEqual([]);
  });

  it("ends with a PIN that works once", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await gateway.allowPin(reservationId, pin);
    await agent.syncNow();
    expect(await agent.present({ pin })).toEqual({ opened: true, compartmentId: "A1", act: Act.COLLECT, doorsToCome: 0 });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    expect(await agent.present({ pin })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    expect(gateway.events.at(-2)).toMatchObject({ proofKind: ProofKind.PIN, reservationId });
    expect(gateway.events.at(-2)?.credentialHash).toMatch(/^[\w-]{43}$/);
  });

  it("works offline, and is reported later", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, timers } = site;
    const reservationId = gateway.newReservation();
    const tokens = [await gateway.token(Act.DEPOSIT, reservationId), await gateway.token(Act.COLLECT, reservationId)] as const;
    gateway.isUp = false;
    await expect(agent.syncNow()).rejects.toThrow();
    expect(await agent.present({ token: tokens[0] })).toMatchObject({ opened: true });
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    timers.advance(3_600_000);
    expect(await agent.present({ token: tokens[1] })).toMatchObject({ opened: true });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    await until(() => site.store.visits().length === 0);
    gateway.isUp = true;
    await agent.syncNow();
    await agent.flushed();
    expect(gateway.events.map(({ sequence, offline }) => [Number(sequence), offline])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, true]));
    expect(gateway.events[3]?.occurredAt).toEqual(timestampFromMs(timers.now()));
  });
});
