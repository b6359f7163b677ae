import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { SiteSchema } from "@petak/protocol";
import { createManualTimers, tempDir } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createSimulatedCabinet } from "../simulation/simulated-cabinet.ts";
import { checkDriver, type DriverCheckOptions } from "./check-driver.ts";
import { type CabinetDriver, CabinetError, checkCompartments, loadDriver, startDriver } from "./driver.ts";

const compartments = [
  { compartmentId: "A1", sizeClassId: "S" },
  { compartmentId: "A2", sizeClassId: "M" },
];

async function load(source: string): Promise<CabinetDriver> {
  const path = join(await tempDir(), "cabinet.mjs");
  await writeFile(path, source);
  return await loadDriver(path);
}

async function results(driver: CabinetDriver, options: DriverCheckOptions = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { what, problem } of checkDriver(driver, options)) found.push(problem === undefined ? what : `NOT ${what}: ${problem}`);
  return found;
}

describe("the module of a cabinet driver", () => {
  it("is refused in a sentence that says what is wrong with it", async () => {
    await expect(loadDriver("/nowhere/cabinet.mjs")).rejects.toThrow(
      new CabinetError("the cabinet driver /nowhere/cabinet.mjs does not exist"),
    );
    await expect(load("throw new Error('no licence')")).rejects.toThrow(/cabinet\.mjs cannot be loaded: no licence$/);
    await expect(load("export const cabinet = {}")).rejects.toThrow(/cabinet\.mjs has no object as its default export$/);
    await expect(load("export default { open() {}, occupancy() {}, doorState: 1 }")).rejects.toThrow(
      /the default export of .*cabinet\.mjs lacks compartments\(\), doorState\(\), onChange\(\)$/,
    );
  });

  it("is refused if it does not start, or has compartments that no site can have", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    const timers = createManualTimers(0);
    const hanging = startDriver({ ...cabinet, start: () => new Promise<void>(() => undefined) }, timers.after);
    timers.advance(10_000);
    await expect(hanging).rejects.toThrow(new CabinetError("the cabinet does not start: it takes longer than 10 s"));
    const having = (list: unknown) => startDriver({ ...cabinet, compartments: () => list as typeof compartments });
    await expect(having([])).rejects.toThrow("the cabinet has no compartments");
    await expect(having([{ compartmentId: "left door", sizeClassId: "S" }])).rejects.toThrow(
      'the cabinet has a compartment {"compartmentId":"left door","sizeClassId":"S"}: it needs',
    );
    await expect(having([compartments[0], compartments[0]])).rejects.toThrow('the cabinet has two compartments "A1"');
  });

  it("is refused if its compartments are not those of the site, each difference by name", () => {
    const site = (list: typeof compartments) => create(SiteSchema, { siteId: "site_1", compartments: list });
    expect(() => checkCompartments(compartments, site(compartments))).not.toThrow();
    const other = [
      { compartmentId: "A2", sizeClassId: "L" },
      { compartmentId: "A3", sizeClassId: "S" },
    ];
    expect(() => checkCompartments(compartments, site(other))).toThrow(
      new CabinetError(
        "the compartments of the cabinet are not those of site_1: the site has no A1; A2 has size class M in the cabinet and L at the site; the cabinet has no A3",
      ),
    );
    const counted = create(SiteSchema, { siteId: "site_1", sizeClasses: [{ sizeClassId: "S", installed: 3 }] });
    expect(() => checkCompartments(compartments, counted)).toThrow(
      "the cabinet has 1 of size class S and the site 3; the cabinet has 1 of size class M and the site 0",
    );
  });
});

describe("the check of a cabinet driver", () => {
  it("passes one that does what an agent relies on, and opens only the doors that it may", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    const opened: string[] = [];
    const onOpen = (id: string) => {
      opened.push(id);
      cabinet.closeDoor(id);
    };
    const passed = ["starts, and has 2 compartments", "has the compartments of site_1", "reads every door", "reads every compartment"];
    expect(await results(cabinet, { site: create(SiteSchema, { siteId: "site_1", compartments }), open: ["A2"], onOpen })).toEqual([
      ...[...passed, "has a door sensor at least somewhere", "takes a listener, and lets it go", "opens no door that it does not have"],
      ...["opens A2, and tells when it is open and closed", "stops"],
    ]);
    expect(opened).toEqual(["A2"]);
  });

  it("names each thing that a driver does not do", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    const timers = createManualTimers(0);
    const checked = results(
      {
        ...cabinet,
        doorState: () => "UNKNOWN",
        occupancy: () => true as never,
        onChange: () => undefined as never,
        open: async () => undefined,
        stop: () => Promise.reject(new Error("the line is busy")),
      },
      { after: timers.after },
    );
    expect(await checked).toEqual([
      ...["starts, and has 2 compartments", "reads every door"],
      "NOT reads every compartment: A1 reads true; a reading is OCCUPIED, EMPTY, UNKNOWN",
      "NOT has a door sensor at least somewhere: every door reads UNKNOWN: then no deposit opens, and no visit ends",
      "NOT takes a listener, and lets it go: onChange() must return a function that removes the listener",
      'NOT opens no door that it does not have: open("no-such-door") must reject',
      "NOT stops: the line is busy",
    ]);
  });

  it("finds a driver that does not tell of its sensors", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    const timers = createManualTimers(0);
    const checked = results({ ...cabinet, onChange: () => () => undefined }, { after: timers.after, open: ["A1", "A9"] });
    let isDone = false;
    void checked.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      timers.advance(10_000);
    }
    expect((await checked).filter((result) => result.startsWith("NOT"))).toEqual([
      "NOT opens A1, and tells when it is open and closed: the lock has answered, and no change of the sensor told that the door is open",
      "NOT opens A9, and tells when it is open and closed: the cabinet has no such compartment",
    ]);
  });
});
