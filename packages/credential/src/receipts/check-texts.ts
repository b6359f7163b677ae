import { type Money, ParcelRequirement } from "@petak/protocol";
import { nameOf } from "./names.ts";

/** What was checked at a hand-over, as reports and receipts contain it: the names with a space between them. */
export function checksText(checks: readonly ParcelRequirement[]): string {
  return checks.map((check) => nameOf(ParcelRequirement, check)).join(" ");
}

/** An amount as reports and receipts contain it: currency, units, and always nine digits of the fraction. */
export function cashText({ currencyCode, units, nanos }: Money): string {
  return `${currencyCode} ${amountText(units, nanos)}`;
}

/** An amount without its currency. */
export function amountText(units: bigint, nanos: number): string {
  return `${units}.${String(nanos).padStart(9, "0")}`;
}
