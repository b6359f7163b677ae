import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { documentedSandbox } from "@petak/cli/testing/documented-sandbox";
import { connectSandboxCourier, type SandboxCourier, stepMs } from "@petak/cli/testing/sandbox-courier";
import { readKeyFile } from "@petak/client/node";
import { Act, CancellationReason, ReservationState, reasonOf } from "@petak/protocol";
import { createTempDir } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { type StartedPetak, startPetak } from "../../testing/petak-process.ts";

const documented = new Map(documentedSandbox().map((row) => [row.reference?.[0] ?? "", row]));
const refs = [...documented].filter(([, { Reserve }]) => Reserve?.[0] === "ok").map(([ref]) => ref);
/** When the gateway dies after visits have begun, in ms: they take some hundredths of a second. */
const deathsMs = [10, 40, 120];

let folder: string;
let gateway: StartedPetak;
let courier: SandboxCourier;

async function startGateway(): Promise<void> {
  const flags = ["--port", "0", "--demo-sites", "0", "--sandbox", "--test-clock"];
  gateway = await startPetak(folder, ["start", ...flags], /Stop with Ctrl-C/);
}

/** Starts the gateway with what an earlier one has left, and connects a courier once its sandbox is open. */
async function serve(): Promise<void> {
  await startGateway();
  const url = /running at (\S+)/.exec(gateway.said())?.[1] ?? "";
  const keyOf = (name: string) => readKeyFile(join(folder, ".petak/keys", `${name}.json`));
  courier = await connectSandboxCourier(url, { courier: await keyOf("courier"), admin: await keyOf("admin") });
}

function die(): void {
  courier.close();
  gateway.kill();
}

beforeEach(async () => {
  const directory = await createTempDir();
  folder = directory.path;
  // It dies while it opens for the first time, with some of its terminals made.
  await startGateway();
  const terminals = () => readdir(join(folder, ".petak/sandbox")).catch(() => []);
  await expect.poll(async () => (await terminals()).length, { interval: 5 }).toBeGreaterThan(2);
  gateway.kill();
  await serve();
  return async () => {
    die();
    await directory.remove();
  };
});

const stateOf = async (reservationId: string) =>
  (await courier.client.reservations.getReservation({ reservationId })).reservation?.state ?? ReservationState.UNSPECIFIED;

/** Issues a token and comes with it. @returns what came of it, or the reason for which none was issued */
async function comeAgain(ref: string, reservationId: string, act: Act): Promise<string | undefined> {
  const issued = courier.issue(reservationId, act);
  return await issued.then(({ accessToken }) => courier.visit(ref, accessToken)).catch(reasonOf);
}

/** Lets time pass until every place of the sites is on offer again. */
async function untilAllFree(): Promise<void> {
  const siteIds = refs.map(courier.siteOf);
  const lacking = async () => {
    await courier.pass(stepMs);
    const { availabilities } = await courier.client.directory.getAvailability({ siteIds });
    const sites = await Promise.all(siteIds.map((siteId) => courier.client.directory.getSite({ siteId })));
    return sites.flatMap(({ site }, index) => {
      const free = availabilities.find(({ siteId }) => siteId === site?.siteId)?.sizeClasses ?? [];
      const count = free.reduce((sum, { freeToPromise }) => sum + freeToPromise, 0);
      return count === site?.compartments.length ? [] : [`${refs[index]}: ${count} of ${site?.compartments.length}`];
    });
  };
  await expect.poll(lacking, { timeout: 120_000 }).toEqual([]);
}

it("goes on with each misbehaviour after its gateway was killed in the middle of it, as the guide says", { timeout: 300_000 }, async () => {
  const reservations = await Promise.all(
    refs.map(async (ref) => {
      const deposit = documented.get(ref)?.deposit?.[0];
      if (deposit === "opened") return [ref, await courier.deposit(ref)] as const;
      const reservationId = await courier.reserve(ref);
      if (deposit !== undefined) expect(await comeAgain(ref, reservationId, Act.DEPOSIT)).toBe(deposit);
      return [ref, reservationId] as const;
    }),
  );
  die();
  await serve();
  for (const [ref, reservationId] of reservations) {
    await courier.untilEvents(reservationId, documented.get(ref)?.["the courier's events"] ?? []);
    const [collection] = documented.get(ref)?.collection ?? [];
    // Nobody waits until the operator throws it away.
    if (ref === "sandbox-overdue") {
      const until = timestampFromMs(Date.now() + 12 * 3_600_000);
      await courier.client.reservations.extend({ requestId: randomUUID(), reservationId, until });
      expect(await comeAgain(ref, reservationId, Act.COLLECT)).toBe("opened");
    }
    if (collection !== undefined) expect(await comeAgain(ref, reservationId, Act.COLLECT)).toBe(collection);
  }
  const jammed = new Map(reservations).get("sandbox-jammed") ?? "";
  await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: jammed, reason: CancellationReason.SITE_PROBLEM });
  await untilAllFree();
});

it("loses no parcel and no place where its gateway was killed while people were at its doors", { timeout: 300_000 }, async () => {
  for (const afterMs of deathsMs) {
    const inside = await courier.deposit("sandbox-plain");
    const coming = await Promise.all(
      ["sandbox-plain", "sandbox-plain", "sandbox-slow", "sandbox-slow", "sandbox-in-doubt", "sandbox-jammed"].map(async (ref) => {
        const reservationId = await courier.reserve(ref);
        return { ref, reservationId, accessToken: (await courier.issue(reservationId, Act.DEPOSIT)).accessToken };
      }),
    );
    const { accessToken } = await courier.issue(inside, Act.COLLECT);
    const visits = [{ ref: "sandbox-plain", accessToken }, ...coming].map((one) => courier.visit(one.ref, one.accessToken));
    const cutOff = Promise.allSettled(visits);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    die();
    await cutOff;
    await serve();

    // What was begun is over by then, and reported.
    for (let passed = 0; passed < 10; passed++) await courier.pass(stepMs);
    await expect.poll(() => comeUntil("sandbox-plain", inside, Act.COLLECT, ReservationState.COLLECTED)).toBe(true);
    for (const { ref, reservationId } of coming) {
      if (ref === "sandbox-jammed") {
        expect(await stateOf(reservationId)).toBe(ReservationState.CONFIRMED);
        await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.SITE_PROBLEM });
        continue;
      }
      const ends = ref === "sandbox-in-doubt" ? ReservationState.NO_SHOW : ReservationState.DEPOSITED;
      await expect.poll(() => comeUntil(ref, reservationId, Act.DEPOSIT, ends)).toBe(true);
      if (ends === ReservationState.DEPOSITED) expect(await comeAgain(ref, reservationId, Act.COLLECT)).toBe("opened");
    }
    await untilAllFree();
  }
});

/** Comes with a new token unless that is over, and lets time pass. @returns whether the reservation is in the state that is to come of it */
async function comeUntil(ref: string, reservationId: string, act: Act, wanted: ReservationState): Promise<boolean> {
  if ((await stateOf(reservationId)) === wanted) return true;
  await comeAgain(ref, reservationId, act);
  for (let passed = 0; passed < 8; passed++) await courier.pass(stepMs);
  return (await stateOf(reservationId)) === wanted;
}
