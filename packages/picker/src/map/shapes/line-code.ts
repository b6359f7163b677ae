/** A position in degrees. */
export type Position = readonly [longitude: number, latitude: number];

/** Positions are kept to a thousandth of a degree, about 110 m. */
const unitsPerDegree = 1000;

/** Digits that need no escape in JavaScript, JSON or a table of tab-separated values. Each has five bits of a number; the upper half say that more follow. */
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const values = new Map([...digits].map((digit, value) => [digit.charCodeAt(0), value]));

/** A line as text: the differences between its positions, which are small. The positions are rounded; what falls together is written once. */
export function encodeLine(line: readonly Position[]): string {
  let text = "";
  let [lastX, lastY] = [Number.NaN, Number.NaN];
  for (const [longitude, latitude] of line) {
    const [x, y] = [Math.round(longitude * unitsPerDegree), Math.round(latitude * unitsPerDegree)];
    if (x === lastX && y === lastY) continue;
    text += encodeNumber(x - (lastX || 0)) + encodeNumber(y - (lastY || 0));
    [lastX, lastY] = [x, y];
  }
  return text;
}

/** The positions of a line, as longitude, latitude, longitude and so on. @throws {Error} where a character is none that encodeLine writes */
export function decodeLine(text: string): Float64Array {
  const numbers: number[] = [];
  let [number, shift] = [0, 0];
  for (let index = 0; index < text.length; index++) {
    const value = values.get(text.charCodeAt(index));
    if (value === undefined) throw new Error(`A line of the map has the character ${JSON.stringify(text[index])}.`);
    number += (value & 31) << shift;
    shift += 5;
    if (value >= 32) continue;
    numbers.push((number & 1 ? -(number + 1) / 2 : number / 2) + (numbers.at(-2) ?? 0));
    [number, shift] = [0, 0];
  }
  return Float64Array.from(numbers, (units) => units / unitsPerDegree);
}

function encodeNumber(number: number): string {
  let rest = number < 0 ? -2 * number - 1 : 2 * number;
  let text = "";
  for (; rest >= 32; rest >>>= 5) text += digits[32 + (rest & 31)];
  return text + digits[rest];
}
