import type { MessageInitShape } from "@bufbuild/protobuf";
import type { MoneySchema, ParcelRequirement, ParcelSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";

/** The options for a parcel. */
export interface ParcelOptions {
  parcel?: [widthMm: number, heightMm: number, depthMm: number];
  mass: number;
  needs?: ParcelRequirement[];
  label?: string[];
  cashDue?: MessageInitShape<typeof MoneySchema>;
}

/** A shoe box, in mm. */
export const defaultParcel = [300, 200, 150] as const;

/** Adds the options for a parcel's size and mass. `--needs` is among the requirements. */
export function addParcelOptions(command: Command): Command {
  return command
    .option("--parcel <WxHxD>", "outer width, height and depth in mm (default: 300x200x150)", parseParcel)
    .option("--mass <g>", "mass in g", parseWhole, 1200);
}

/** The parcel for the given options. */
export function toParcel({ parcel, mass, needs, label, cashDue }: ParcelOptions): MessageInitShape<typeof ParcelSchema> {
  const [widthMm, heightMm, depthMm] = parcel ?? defaultParcel;
  return { widthMm, heightMm, depthMm, massG: mass, requirements: needs ?? [], labelCodes: label ?? [], ...(cashDue && { cashDue }) };
}

export function parseParcel(text: string): [number, number, number] {
  const match = /^(\d+)\s*[x×*]\s*(\d+)\s*[x×*]\s*(\d+)$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError("write width, height and depth in mm, e.g. 300x200x150.");
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

export function parseWhole(text: string): number {
  if (!/^\d{1,9}$/.test(text.trim())) throw new InvalidArgumentError("write a whole number.");
  return Number(text);
}

/** Parses an amount of money, e.g. `12.50 SGD`. */
export function parseMoney(text: string): MessageInitShape<typeof MoneySchema> {
  const [, units, fraction = "", currencyCode] = /^(\d{1,10})(?:\.(\d{1,9}))?\s*([A-Z]{3})$/.exec(text.trim()) ?? [];
  if (units === undefined) throw new InvalidArgumentError('write an amount and the code of its currency, e.g. "12.50 SGD".');
  return { currencyCode, units: BigInt(units), nanos: Number(fraction.padEnd(9, "0")) };
}
