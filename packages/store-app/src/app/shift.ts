import { create } from "@bufbuild/protobuf";
import { type Money, MoneySchema } from "@petak/protocol";
import { BeginShiftSchema, EndShiftSchema } from "@petak/protocol/counter";
import type { App } from "./app.ts";
import { newShift, type ShiftDraft } from "./draft.ts";

/** Begins the clerk's shift. */
export async function beginShift(app: App): Promise<void> {
  app.setDraft({ shift: undefined });
  await app.submit({ case: "beginShift", value: create(BeginShiftSchema) });
}

/** Changes the count. */
export function changeShift(app: App, parts: Partial<ShiftDraft>): void {
  app.setDraft({ shift: { ...(app.draft.shift ?? newShift), ...parts } });
}

/** A parcel on the shelf was scanned. Twice is once. */
export function countLabel(app: App, label: string): void {
  const { labels, isByScanning } = app.draft.shift ?? newShift;
  if (isByScanning && !labels.includes(label)) changeShift(app, { labels: [...labels, label] });
}

/** Reads a sum that was typed, e.g. `45.50` or `45,50`. Undefined: it is none. */
export function readMoney(text: string, currencyCode: string): Money | undefined {
  const match = /^(\d{1,9})(?:[.,](\d{1,9}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, units = "", fraction = ""] = match;
  return create(MoneySchema, { currencyCode, units: BigInt(units), nanos: Number(fraction.padEnd(9, "0")) });
}

/** Ends the shift with what was counted. False: something that was typed is no number. */
export async function endShift(app: App): Promise<boolean> {
  const { isByScanning, labels, counted, cash } = app.draft.shift ?? newShift;
  const currencies = app.counter?.shift?.cash.map(({ currencyCode }) => currencyCode) ?? [];
  const money = currencies.slice(0, 1).map((code) => readMoney(cash === "" ? "0" : cash, code));
  const number = /^\d{1,4}$/.test(counted.trim()) ? Number(counted) : undefined;
  if (money.includes(undefined) || (!isByScanning && number === undefined)) return false;
  const value = create(EndShiftSchema, {
    labels: isByScanning ? [...labels] : [],
    counted: isByScanning ? undefined : number,
    cash: money.flatMap((one) => one ?? []),
  });
  await app.submit({ case: "endShift", value });
  return true;
}
