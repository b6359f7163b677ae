import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CompartmentSchema, SizeClassSchema } from "@petak/protocol";

/** Size classes of a site, and the doors of a terminal. */
export interface CompartmentMix {
  readonly sizeClasses: MessageInitShape<typeof SizeClassSchema>[];
  readonly compartments: MessageInitShape<typeof CompartmentSchema>[];
}

interface ClassOfDoor {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  maxMassG: number;
}

const doors: Record<string, ClassOfDoor> = {
  S: { widthMm: 400, heightMm: 100, depthMm: 550, maxMassG: 10_000 },
  M: { widthMm: 400, heightMm: 200, depthMm: 550, maxMassG: 15_000 },
  L: { widthMm: 400, heightMm: 400, depthMm: 550, maxMassG: 20_000 },
  XL: { widthMm: 400, heightMm: 620, depthMm: 550, maxMassG: 25_000 },
};

/** Columns of doors, from the ground up, the largest at the bottom. Each is about 1.8 m high. */
const columns: Record<string, string[]> = {
  a: ["L", "M", "M", "S", "S", "S", "S", "M", "M"],
  b: ["XL", "M", "S", "S", "M", "M", "M"],
  c: ["L", "L", "M", "M", "S", "S", "S"],
};

const plinthMm = 150;
const frameMm = 20;

/** Named banks of compartments, as columns from left to right. */
const banks = { small: "ab", medium: "abac", large: "abacabca" } as const;

/** Named shelves of stores, as places of each class. */
const shelves = {
  shelf: [
    { sizeClassId: "SHELF", widthMm: 400, heightMm: 300, depthMm: 400, maxMassG: 10_000, installed: 16 },
    { sizeClassId: "FLOOR", widthMm: 700, heightMm: 600, depthMm: 500, maxMassG: 20_000, installed: 4 },
  ],
  stockroom: [
    { sizeClassId: "SHELF", widthMm: 400, heightMm: 300, depthMm: 400, maxMassG: 10_000, installed: 40 },
    { sizeClassId: "FLOOR", widthMm: 700, heightMm: 600, depthMm: 500, maxMassG: 20_000, installed: 12 },
  ],
} as const;

/** Name of a mix. All are made up: plausible, but not real products. */
export type MixName = keyof typeof banks | keyof typeof shelves;

/** The names of {@link MixName}, terminals first. */
export const mixNames: readonly MixName[] = ["small", "medium", "large", "shelf", "stockroom"];

const mixes = new Map<MixName, CompartmentMix>();

/** The mix of a name. Shared object; do not modify. */
export function namedMix(name: MixName): CompartmentMix {
  let mix = mixes.get(name);
  if (mix === undefined) {
    mix =
      name === "shelf" || name === "stockroom"
        ? { sizeClasses: shelves[name].map((shelf) => ({ ...shelf })), compartments: [] }
        : buildBank(banks[name]);
    mixes.set(name, mix);
  }
  return mix;
}

function buildBank(bank: string): CompartmentMix {
  const compartments = [...bank].flatMap((column, index) => {
    let topMm = plinthMm;
    return (columns[column] ?? []).map((sizeClassId, door) => {
      const heightMm = doors[sizeClassId]?.heightMm ?? 0;
      const centreHeightMm = topMm + heightMm / 2;
      topMm += heightMm + frameMm;
      const letter = String.fromCharCode("A".charCodeAt(0) + index);
      return { compartmentId: `${letter}${String(door + 1).padStart(2, "0")}`, sizeClassId, centreHeightMm };
    });
  });
  const sizeClasses = Object.entries(doors).map(([sizeClassId, door]) => {
    const heights = compartments.filter((one) => one.sizeClassId === sizeClassId).map((one) => one.centreHeightMm);
    return {
      sizeClassId,
      ...door,
      installed: heights.length,
      lowestCentreHeightMm: Math.min(...heights),
      highestCentreHeightMm: Math.max(...heights),
    };
  });
  return { sizeClasses, compartments };
}
