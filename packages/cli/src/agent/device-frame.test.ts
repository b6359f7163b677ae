import type { DoorView } from "@petak/agent/simulation";
import { expect, it } from "vitest";
import { createColors } from "../terminal/colors.ts";
import { type DeviceFrame, renderDevice } from "./device-frame.ts";

const door = (number: number, facts: Partial<DoorView> = {}): DoorView => ({
  ...{
    compartmentId: `M-${number}`,
    sizeClassId: "M",
    door: "CLOSED",
    occupancy: "EMPTY",
    isJammed: false,
    condition: "OK",
    reservationId: "",
  },
  ...facts,
});

const frame = (facts: Partial<DeviceFrame>): string[] =>
  renderDevice({
    ...{ siteName: "Central", siteId: "site_1", link: "online", unsent: 0, doors: [], facts: [], input: "", columns: 80, rows: 24 },
    ...{ colors: createColors(false) },
    ...facts,
  });

it("of a cabinet with more doors than fit, shows those with something to see, and says how many there are beside", () => {
  const doors = Array.from({ length: 60 }, (_, index) => door(index + 1));
  doors[49] = door(50, { occupancy: "OCCUPIED" });
  doors[58] = door(59, { door: "OPEN", occupancy: "UNKNOWN", isJammed: true, condition: "IN_DOUBT" });
  const facts = Array.from({ length: 20 }, (_, index) => ({ event: "power", state: "back", atMs: index * 1000 }) as const);
  for (const rows of [16, 24, 40]) {
    const lines = frame({ doors, facts, rows });
    expect(lines.length).toBeLessThanOrEqual(rows);
    const text = lines.join("\n");
    expect(text).toMatch(/^M-50 .*a parcel$/m);
    expect(text).toMatch(/^M-59 .*open +\? +jammed, in doubt$/m);
    expect(text).toMatch(/^… and \d+ more doors$/m);
    expect(text).toContain("00:00:19 power     back");
  }
});

it("of what was typed, shows the end", () => {
  expect(frame({ input: "x".repeat(300) + "y".repeat(32) })).toContain(`> …${"y".repeat(32)}▏`);
});
