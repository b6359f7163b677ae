import type { Parcel } from "@petak/protocol";
import type { JsonOf } from "../gateway/json-of.ts";
import type { Problem } from "../gateway/problem.ts";
import type { Point } from "../map/picker-map.ts";
import type { Filter } from "./filters.ts";
import { readFilters } from "./filters.ts";

/** A parcel as the protocol has it, in mm and g: `{ widthMm, heightMm, depthMm, massG, requirements }`. */
export type PickerParcel = JsonOf<Parcel>;

/** What the shop wants shown. */
export interface Settings {
  /** Without a slash at its end. */
  readonly gateway: string;
  readonly publishableKey: string;
  readonly parcel: PickerParcel;
  readonly point: Point | undefined;
  /** Filters that are on at first. */
  readonly filters: ReadonlySet<Filter>;
  /** Empty: all. */
  readonly operatorIds: readonly string[];
  /** To how many metres the point is rounded before it is sent. 0: not at all. */
  readonly roundingM: number;
}

/** Reads an attribute. */
export type Attributes = (name: string) => string | null;

const sides = { "width-mm": "widthMm", "height-mm": "heightMm", "depth-mm": "depthMm" } as const;

/** Reads the settings of an element's attributes. @param parcel of the property, which goes before the attributes */
export function readSettings(attribute: Attributes, parcel: PickerParcel | undefined): Settings | Problem {
  const problems: Problem[] = [];
  const wrong = (name: string, rule: string): undefined => {
    const value = attribute(name);
    const reason = value === null ? "ATTRIBUTE_MISSING" : "ATTRIBUTE_INVALID";
    const seen = value === null ? "is missing" : `is '${value}'`;
    problems.push({ reason, message: `The attribute ${name} of petak-picker ${seen}. It ${rule}.`, isPassing: false });
  };
  const text = (name: string, pattern: RegExp, rule: string): string => {
    const value = attribute(name)?.trim() ?? "";
    if (!pattern.test(value)) wrong(name, rule);
    return value;
  };
  const whole = (name: string, min: number, max: number, rule: string, byDefault?: number): number => {
    const value = attribute(name);
    if (value === null && byDefault !== undefined) return byDefault;
    const number = Number(value?.trim() || Number.NaN);
    if (!Number.isInteger(number) || number < min || number > max) wrong(name, rule);
    return number;
  };
  const settings: Settings = {
    gateway: text("gateway", /^(https?:\/\/[^/]|\/)/, "is the gateway's address, or a path of this site that leads to it").replace(
      /\/+$/,
      "",
    ),
    publishableKey: text("publishable-key", /^pk_(live|test)_\w+$/, "is a key that starts with pk_live_ or pk_test_"),
    parcel: parcel ?? {
      ...Object.fromEntries(
        Object.entries(sides).map(([name, field]) => [field, whole(name, 1, 5000, "is the parcel's side in mm, from 1 to 5000")]),
      ),
      massG: whole("mass-g", 1, 1_000_000, "is the parcel's mass in g, from 1 to 1000000"),
    },
    point: readPoint(attribute("point"), () => wrong("point", "is a latitude and a longitude in degrees, e.g. 1.3521,103.8198")),
    filters: readFilters(attribute("filters"), (allowed) => wrong("filters", `is made of ${allowed}`)),
    operatorIds: (attribute("operators") ?? "").split(/[\s,]+/).filter((id) => id !== ""),
    roundingM: whole("rounding-m", 0, 10_000, "is a number of metres from 0 to 10000", 0),
  };
  return problems[0] ?? settings;
}

/** Reads `latitude,longitude`. */
function readPoint(value: string | null, wrong: () => undefined): Point | undefined {
  if (value === null || value.trim() === "") return undefined;
  const [latitude = Number.NaN, longitude = Number.NaN, ...rest] = value.split(",").map((part) => Number(part.trim() || Number.NaN));
  const point = { latitude, longitude };
  return isPoint(point) && rest.length === 0 ? point : wrong();
}

/** Whether both are on Earth. */
export function isPoint({ latitude, longitude }: Point): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

/** A point moved to the middle of a field of a grid, so that nobody learns more than the field. @param stepM the size of a field, in m */
export function roundPoint({ latitude, longitude }: Point, stepM: number): Point {
  if (stepM === 0) return { latitude, longitude };
  const metresPerDegree = 111_195;
  const round = (degrees: number, perDegree: number): number => {
    const step = stepM / perDegree;
    return Number(((Math.floor(degrees / step) + 0.5) * step).toFixed(6));
  };
  const rounded = Math.min(90, Math.max(-90, round(latitude, metresPerDegree)));
  const perDegree = metresPerDegree * Math.max(0.01, Math.cos((rounded * Math.PI) / 180));
  return { latitude: rounded, longitude: Math.min(180, Math.max(-180, round(longitude, perDegree))) };
}
