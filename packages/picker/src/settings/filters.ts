import type { SiteRequirements } from "@petak/protocol";
import type { JsonOf } from "../gateway/json-of.ts";

/** What a shopper can ask of a place. `terminal` and `store` exclude each other. */
export type Filter = "open-now" | "step-free" | "low-compartment" | "terminal" | "store";

/** All filters, in the order in which they stand. */
export const allFilters: readonly Filter[] = ["open-now", "step-free", "low-compartment", "terminal", "store"];

/** Reads a list with spaces or commas between. */
export function readFilters(value: string | null, wrong: (allowed: string) => void): ReadonlySet<Filter> {
  const names = (value ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const known = names.filter((name): name is Filter => (allFilters as readonly string[]).includes(name));
  if (known.length < names.length) wrong(allFilters.join(", "));
  return new Set(known);
}

/** A set with a value more or less. */
export function toggled<V>(values: ReadonlySet<V>, value: V): Set<V> {
  const next = new Set(values);
  if (!next.delete(value)) next.add(value);
  return next;
}

/** The filters after one was pressed. */
export function toggleFilter(filters: ReadonlySet<Filter>, pressed: Filter): ReadonlySet<Filter> {
  const next = toggled(filters, pressed);
  if (pressed === "terminal") next.delete("store");
  if (pressed === "store") next.delete("terminal");
  return next;
}

/** The filters as the protocol has them. @param openAtMs the time at which a place must be open; undefined: whenever */
export function requirementsOf(filters: ReadonlySet<Filter>, openAtMs: number | undefined): JsonOf<SiteRequirements> {
  return {
    ...(openAtMs !== undefined && { openAt: new Date(openAtMs).toISOString() }),
    ...(filters.has("step-free") && { stepFree: true }),
    ...(filters.has("low-compartment") && { accessible: true }),
  };
}

/** The kinds of site that the filters leave. Empty: all. */
export function kindsOf(filters: ReadonlySet<Filter>): readonly string[] {
  if (filters.has("terminal")) return ["SITE_KIND_PARCEL_TERMINAL"];
  return filters.has("store") ? ["SITE_KIND_COLLECTION_POINT"] : [];
}
