import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { Money, Terms } from "@petak/protocol";
import type { Output } from "../terminal/output.ts";
import { moneyText } from "./reservation-text.ts";

const units = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1000, "s"],
] as const;

/** Prints terms, one line for each. */
export function printTerms(output: Output, terms: Terms): void {
  const lines: [title: string, text: string][] = [
    ["terms", terms.termsId],
    ["free storage", lengthText(terms.freeStorage)],
    ["longest storage", lengthText(terms.longestStorage)],
    ["a day beyond the free storage", feeText(terms.extensionPricePerDay)],
    ["free changes end before the deposit", lengthText(terms.freeChangeBeforeDeposit)],
    ["late change", feeText(terms.lateChangeFee)],
    ["no-show after", lengthText(terms.noShowAfter)],
    ["no-show", feeText(terms.noShowFee)],
  ];
  for (const [title, text] of lines) if (text !== "") output.print(`  ${title.padEnd(37)}${text}`);
}

/** A length of time in its largest whole unit: `36h`. Empty: it is not set. */
function lengthText(duration: Duration | undefined): string {
  if (duration === undefined) return "";
  const ms = durationMs(duration);
  const [unitMs, unit] = units.find(([each]) => ms % each === 0) ?? [1000, "s"];
  return `${ms / unitMs}${unit}`;
}

function feeText(fee: Money | undefined): string {
  return fee === undefined ? "no fee" : moneyText(fee);
}
