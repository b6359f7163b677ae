import { Act } from "@petak/protocol";
import { EndReason } from "@petak/protocol/counter";
import { describe, expect, it } from "vitest";
import { announce, begin, close, scan, shelfOf120 } from "./shelf-of-120.ts";
import { startStore } from "./store.ts";

describe("the place that is suggested", () => {
  it("is the one that clerks have chosen themselves, until they choose others", async () => {
    const store = await startStore();
    const reservationId = await announce(store, "BX 1");
    const first = await begin(store);
    expect(await scan(store, first, "BX 1")).toBe("A1");
    expect(await scan(store, first, "BX 1", "A3")).toBe("A3");
    await close(store, first);
    const { handOver } = await store.shows(await store.gateway.token(Act.COLLECT, reservationId));
    await store.moves(handOver?.handOverId, "BX 1");
    await announce(store, "BX 2");
    await announce(store, "BX 3");
    const next = await begin(store);
    expect(await scan(store, next, "BX 2")).toBe("A3");
    expect(await scan(store, next, "BX 2", "A2")).toBe("A2");
    await store.does({ case: "unscanParcel", value: { deliveryId: next, label: "BX 2" } });
    await announce(store, "BX 4");
    await store.agent.syncNow();
    expect(await scan(store, next, "BX 3")).toBe("A2");
    expect(await scan(store, next, "BX 4")).toBe("A1");
  });

  it("is learned from parcels that are moved on the shelf, and not from where a missing one turns up", async () => {
    const store = await startStore();
    const { reservationId, placeId } = await store.takesIn("BX 1");
    expect(placeId).toBe("A1");
    await store.does({ case: "placeParcel", value: { reservationId, shelfPlace: "A2" } });
    const { handOver } = await store.shows(await store.gateway.token(Act.COLLECT, reservationId));
    await store.does({ case: "endHandOver", value: { handOverId: handOver?.handOverId ?? "", reason: EndReason.CANNOT_FIND } });
    await store.does({ case: "placeParcel", value: { reservationId, shelfPlace: "A3" } });
    expect((await store.takesIn("BX 2")).placeId).toBe("A2");
  });

  it("is beside the other parcels of the same code, also before the list is signed", async () => {
    const store = await startStore(undefined, shelfOf120);
    const reservationIds = [await announce(store, "BX 1"), await announce(store, "BX 2"), await announce(store, "BX 3", "L")];
    await announce(store, "ZZ 9");
    await store.gateway.allowBundle("bdl_1", reservationIds);
    const deliveryId = await begin(store);
    expect(await scan(store, deliveryId, "BX 1", "C05")).toBe("C05");
    expect(await scan(store, deliveryId, "ZZ 9")).toBe("A01");
    expect(await scan(store, deliveryId, "BX 2")).toBe("C04");
    // Its size has places on the shelves E and F only.
    expect(await scan(store, deliveryId, "BX 3")).toBe("E01");
    await close(store, deliveryId);
    const taken = await store.takesIn("QQ 1");
    expect(taken.placeId).toBe("A02");
  });
});
