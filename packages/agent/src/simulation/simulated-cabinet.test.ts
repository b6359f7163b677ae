import { createRandom } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createSimulatedCabinet } from "./simulated-cabinet.ts";

const compartments = [
  { compartmentId: "A1", sizeClassId: "S" },
  { compartmentId: "A2", sizeClassId: "S" },
];

describe("a simulated cabinet", () => {
  it("lets nobody reach through a closed door", async () => {
    const cabinet = createSimulatedCabinet({ compartments, occupied: ["A2"] });
    expect(() => cabinet.putIn("A1")).toThrow("the door of compartment 'A1' is closed");
    expect(() => cabinet.takeOut("A2")).toThrow("the door of compartment 'A2' is closed");
    await cabinet.open("A1");
    await cabinet.open("A2");
    expect(() => cabinet.takeOut("A1")).toThrow("there is no parcel in compartment 'A1'");
    expect(() => cabinet.putIn("A2")).toThrow("there is already a parcel in compartment 'A2'");
    expect(() => cabinet.putIn("A9")).toThrow("no compartment 'A9'");
  });

  it("reflects the person's actions, and notifies listeners", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    const seen: string[] = [];
    const end = cabinet.onChange((id) => seen.push(`${id} ${cabinet.doorState(id)} ${cabinet.occupancy(id)}`));
    await cabinet.open("A1");
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    cabinet.closeDoor("A1");
    end();
    await cabinet.open("A1");
    expect(seen).toEqual(["A1 OPEN EMPTY", "A1 OPEN OCCUPIED", "A1 CLOSED OCCUPIED"]);
    expect(cabinet.contents()).toEqual(["A1"]);
  });

  it("has the same faults with the same seed", async () => {
    const run = async () => {
      const cabinet = createSimulatedCabinet({ compartments, random: createRandom(7).float, lockFaultRate: 0.5, sensorFaultRate: 0.5 });
      const outcomes: string[] = [];
      for (let round = 0; round < 20; round += 1) {
        outcomes.push(
          await cabinet.open("A1").then(
            () => "opened",
            () => "failed",
          ),
          cabinet.occupancy("A1"),
        );
      }
      return outcomes;
    };
    const outcomes = await run();
    expect(new Set(outcomes)).toEqual(new Set(["opened", "failed", "EMPTY", "UNKNOWN"]));
    expect(await run()).toEqual(outcomes);
  });

  it("can have no occupancy sensors", () => {
    expect(createSimulatedCabinet({ compartments, hasOccupancySensors: false }).occupancy("A1")).toBe("UNKNOWN");
  });
});
