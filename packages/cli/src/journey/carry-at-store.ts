import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { openClerks } from "@petak/agent/counter";
import { readDevice } from "@petak/agent/device";
import { createServiceClient } from "@petak/client";
import { CounterService, Direction, EntryRefusal, type EntryResult, type EntrySchema } from "@petak/protocol/counter";
import { orAborted } from "../abort.ts";
import { CliFailure } from "../failure.ts";
import type { CarryOptions } from "./carry-offline.ts";
import { cutLink, restoreLink, untilCollected, withDevice } from "./with-device.ts";

type Action = NonNullable<MessageInitShape<typeof EntrySchema>["action"]>;

/** A tablet at a store's counter, on which a clerk has signed in. */
interface Tablet {
  /** Does something as the clerk. Throws a CliFailure if it is refused. */
  does(action: Action): Promise<EntryResult>;
}

/**
 * A parcel's way through a store: a device is enrolled by a code, its program serves the counter in another process, and a clerk on a tablet takes the parcel in and
 * hands it over. Removes the device at the end.
 *
 * @param options.isOffline whether the store's link is cut from before the parcel comes until after it was collected
 */
export async function carryAtStore(options: CarryOptions & { isOffline: boolean; now: () => number }): Promise<void> {
  const { siteId, depositToken, collectBy, onStep, isOffline, signal } = options;
  const clerk = { clerkId: "", pin: "" };
  const prepare = async (dataDir: string) => {
    const device = await readDevice(dataDir);
    if (device === undefined) throw new CliFailure("The device was not enrolled.", { reason: "device" });
    const added = await openClerks(device.clerksPath).add("Mai", true);
    Object.assign(clerk, { clerkId: added.clerk.clerkId, pin: added.pin });
  };
  await withDevice({ ...options, doors: ["--counter", "0"], prepare }, async (program) => {
    const { doors } = await program.until("ready");
    const { url } = await program.until("counter");
    onStep({ step: "counter open", siteId, places: doors, url });
    const tablet = await signIn(url, clerk, options);
    onStep({ step: "clerk signed in", clerkId: clerk.clerkId });
    if (isOffline) await cutLink(program, onStep);

    const deliveryId = randomUUID();
    await tablet.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } });
    const { delivery } = await tablet.does({ case: "scanParcel", value: { deliveryId, label: depositToken } });
    await tablet.does({ case: "agreeCount", value: { deliveryId, count: 1 } });
    await tablet.does({ case: "closeDelivery", value: { deliveryId } });
    onStep({ step: "taken in", by: "access token", shelfPlace: delivery?.parcels[0]?.shelfPlace ?? "" });

    const { handOver } = await tablet.does({ case: "showCode", value: { text: collectBy.code } });
    const { handOverId = "", shelfPlace = "" } = handOver ?? {};
    // No label was announced, so the clerk scans the code of the place.
    await tablet.does({ case: "moveParcel", value: { handOverId, label: `place:${shelfPlace}` } });
    onStep({ step: "handed over", by: collectBy.by, shelfPlace });
    if (isOffline) await restoreLink(program, options);
    else onStep({ step: "collected", reservation: await orAborted(untilCollected(options), signal) });
  });
}

async function signIn(
  baseUrl: string,
  { clerkId, pin }: { clerkId: string; pin: string },
  { now, signal }: { now: () => number; signal: AbortSignal },
): Promise<Tablet> {
  const counter = createServiceClient(CounterService, { baseUrl, retry: false });
  const tabletId = randomUUID();
  let cookie = "";
  const onHeader = (headers: Headers) => {
    cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  };
  const { counter: seen } = await counter.signIn({ tabletId, clerkId, pin }, { onHeader, signal });
  if (seen === undefined) throw new CliFailure("The store refused its clerk's PIN.", { reason: "counter-refused" });
  return {
    async does(action) {
      const entry = { entryId: randomUUID(), madeAt: timestampFromMs(now()), clerkId, action };
      const { results } = await counter.submit({ tabletId, entries: [entry] }, { headers: { cookie }, signal });
      const [result] = results;
      if (result?.refusal === EntryRefusal.UNSPECIFIED) return result;
      const reason = Object.entries(EntryRefusal).find(([, value]) => value === result?.refusal)?.[0] ?? "no answer";
      throw new CliFailure(`The store refused what its clerk did (${action.case}: ${reason}).`, { reason: "counter-refused" });
    },
  };
}
