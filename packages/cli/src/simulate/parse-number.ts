import { InvalidArgumentError } from "commander";

/** Returns a parser of whole numbers for an option. Limits are inclusive. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,16}$/.test(text.trim()) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`"${text}" is no whole number from ${least} to ${most}.`);
  };
}

/** Returns a parser of numbers for an option. Limits are inclusive. @param what e.g. `number of days` */
export function decimalNumber(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d*\.?\d+$/.test(text.trim()) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`"${text}" is no ${what} from ${least} to ${most}.`);
  };
}

/** Adds a value of an option that may be given several times. */
export function collect(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}
