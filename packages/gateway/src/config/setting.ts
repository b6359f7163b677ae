import { parseRedisAddress, redisProtocols } from "@petak/redis";
import { parseNetworks } from "../features/webhook/delivery/networks.ts";
import { parseAddress } from "./address.ts";

/** Type of a setting's value, and how its text is parsed. */
export type SettingType =
  | { readonly kind: "string"; readonly pattern?: RegExp; readonly patternText?: string }
  | { readonly kind: "int"; readonly min: number; readonly max: number }
  | { readonly kind: "bool" }
  /** A duration in ms. Its text may also have a unit: `500ms`, `15s`, `2m`, `24h`. */
  | { readonly kind: "duration"; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "path" }
  | { readonly kind: "redis" }
  /** `host:port`. */
  | { readonly kind: "address" }
  /** CIDR blocks, separated by commas. */
  | { readonly kind: "networks" };

/** The TypeScript type of a setting's value. */
export type SettingValue<Type extends SettingType> = Type extends { kind: "int" | "duration" }
  ? number
  : Type extends { kind: "bool" }
    ? boolean
    : Type extends { kind: "enum"; values: readonly (infer Value)[] }
      ? Value
      : string;

/** One setting. Its flag and variable are derived from the name: `redisUrl` is `--redis-url` and `PETAK_REDIS_URL`. */
export interface Setting {
  /** Its name in camelCase, as in the file and in the code. Durations end in Ms and sizes in Bytes. */
  readonly name: string;
  readonly type: SettingType;
  readonly default: string | number | boolean;
  /** One sentence: the meaning, the unit, and the reason for the default. */
  readonly doc: string;
  /** Whether its value must not be shown, not even in errors. */
  readonly secret?: boolean;
}

/** The command line flag of a setting, e.g. `--redis-url`. */
export function flagOf({ name }: Setting): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The environment variable of a setting, e.g. `PETAK_REDIS_URL`. */
export function variableOf({ name }: Setting): string {
  return `PETAK_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Describes the allowed values of a setting. */
export function rangeOf({ type }: Setting): string {
  switch (type.kind) {
    case "int":
      return `${type.min} to ${type.max}`;
    case "duration":
      return `${type.minMs} to ${type.maxMs} ms, or with a unit: 500ms, 15s, 2m, 24h`;
    case "bool":
      return "true or false";
    case "enum":
      return type.values.join(", ");
    case "path":
      return "a path";
    case "redis":
      return `empty, or a URL that begins with ${redisProtocols.map((protocol) => `${protocol}//`).join(" or ")}`;
    case "address":
      return "empty, or host:port such as 127.0.0.1:9420 or [::1]:9420";
    case "networks":
      return "empty, or networks such as 10.0.0.0/8,fd00::/8";
    case "string":
      return type.patternText ?? "text";
  }
}

/** Parses a setting's value. Undefined: not allowed. Flags and variables are text; the file may have other types. */
export function parseSetting({ type }: Setting, value: unknown): string | number | boolean | undefined {
  switch (type.kind) {
    case "int":
      return inRange(typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value, type.min, type.max);
    case "duration":
      return inRange(typeof value === "string" ? durationMs(value) : value, type.minMs, type.maxMs);
    case "bool":
      if (typeof value === "boolean") return value;
      return value === "true" ? true : value === "false" ? false : undefined;
    case "enum":
      return type.values.find((one) => one === value);
    case "path":
      return typeof value === "string" && !value.includes("\0") ? value : undefined;
    case "redis":
      return typeof value === "string" && (value === "" || parseRedisAddress(value) !== undefined) ? value : undefined;
    case "address":
      return typeof value === "string" && (value === "" || parseAddress(value) !== undefined) ? value : undefined;
    case "networks":
      return typeof value === "string" && parseNetworks(value) !== undefined ? value : undefined;
    case "string": {
      // A number of the file, such as `"workers": 4`.
      const text = typeof value === "number" ? String(value) : value;
      return typeof text === "string" && (type.pattern?.test(text) ?? true) ? text : undefined;
    }
  }
}

const unitsMs: Record<string, number> = { "": 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,12})(ms|s|m|h)?$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (unitsMs[unit] ?? 1);
}

function inRange(value: unknown, min: number, max: number): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}
