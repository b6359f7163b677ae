import { ReservationState } from "@petak/protocol";
import { createRandom, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { nameOf } from "../life/life-world.ts";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";
import { dayMs, startOfflineNetwork } from "./offline-network.ts";
import { recordedParcels } from "./rough-terminal.ts";
import { useDisks } from "./use-disks.ts";
import { type Parcel, Week } from "./week.ts";

const S = ReservationState;
const redis = useRedis();
const disks = useDisks();
const weeks = roundsHere({ short: 1, ci: 4, long: 60 });
const days = roundsHere({ short: 1, ci: 7 });

/** What the gateway must say of a parcel, by where it really is. */
const statesOf: Readonly<Record<Parcel["where"], readonly ReservationState[]>> = {
  "with its sender": [S.CONFIRMED, S.CANCELLED, S.NO_SHOW],
  inside: [S.DEPOSITED],
  collected: [S.COLLECTED],
  "taken back": [S.RECALLED],
};

async function checkAll(week: Week): Promise<void> {
  const { courier, network, terminals } = week.around;
  const { said } = week;
  const issuerKeys = await publishedIssuerKeys(network.baseUrl);
  const states = new Map<string, ReservationState>();
  for (const { reservationId, where, terminal } of week.parcels) {
    const { reservation } = await expectTrueChain(courier, reservationId, issuerKeys);
    const state = reservation?.state ?? S.UNSPECIFIED;
    states.set(reservationId, state);
    expect({ said, reservationId, where, state: nameOf(S, state), isTrue: statesOf[where].includes(state) }).toMatchObject({
      isTrue: true,
    });
    if (where !== "inside") continue;
    expect({ said, lies: week.inside(terminal, reservation?.compartmentId ?? "")?.reservationId }).toEqual({ said, lies: reservationId });
  }
  for (const terminal of terminals) {
    const own = week.parcels.filter((parcel) => parcel.terminal === terminal);
    const really = own.filter(({ where }) => where === "inside").map(({ reservationId }) => reservationId);
    expect({ said, agent: [...recordedParcels(terminal).keys()].sort() }).toEqual({ said, agent: really.sort() });
    const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [terminal.siteId] });
    const counts = availabilities[0]?.sizeClasses.map(({ sizeClassId, held, occupied }) => ({ sizeClassId, held, occupied }));
    const countOf = (sizeClassId: string, wanted: readonly ReservationState[]) =>
      own.filter((parcel) => parcel.sizeClassId === sizeClassId && wanted.includes(states.get(parcel.reservationId) ?? S.UNSPECIFIED))
        .length;
    const expected = ["S", "L"].map((sizeClassId) => ({
      sizeClassId,
      held: countOf(sizeClassId, [S.CONFIRMED]),
      occupied: countOf(sizeClassId, [S.DEPOSITED]),
    }));
    expect({ said, counts }).toEqual({ said, counts: expected });
  }
}

it("a week without links, power and true clocks loses no parcel, opens nothing twice, and ends in records that agree", {
  timeout: weeks * 180_000,
}, async () => {
  const seed = testSeed();
  for (let index = 0; index < weeks; index += 1) {
    const random = createRandom(seed + index);
    const around = await startOfflineNetwork(redis, {
      keyPrefix: `${redis.keyPrefix}week-${index}`,
      sites: 3,
      disks,
      random: random.fork(),
    });
    const week = new Week(around, random);
    try {
      const endMs = around.clock.now() + days * dayMs;
      while (around.clock.now() < endMs) await week.step();
      await week.heal();
      for (const terminal of around.terminals) await week.inspect(terminal);
      await checkAll(week);
    } catch (error) {
      process.stdout.write(`seed ${seed + index}\n${week.said.join("\n")}\n`);
      throw error;
    } finally {
      await around.stop();
    }
  }
});
