/**
 * Elementary functions made of +, -, *, / and nothing else, which every JavaScript engine must compute to the same bit. `Math.log`, `Math.exp` and `Math.cos`
 * may differ in the last bit between engines and their versions, and one bit can change which side of a limit a draw falls on. Everything that
 * decides a trace uses these. (`Math.sqrt` rounds correctly in every engine, by IEEE 754.)
 */

const words = new DataView(new ArrayBuffer(8));

/** ln 2 in two parts. The first has 33 bits, so that multiples of it are exact. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;

/** Natural logarithm. Relative error below 1e-15. @param x a normal number above 0 */
export function ln(x: number): number {
  words.setFloat64(0, x);
  const high = words.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  // The fraction as a number in [1, 2).
  words.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let fraction = words.getFloat64(0);
  if (fraction > Math.SQRT2) {
    fraction /= 2;
    exponent += 1;
  }
  // ln((1 + s) / (1 - s)) = 2 (s + s³/3 + s⁵/5 + …), |s| < 0.172.
  const s = (fraction - 1) / (fraction + 1);
  const square = s * s;
  let sum = 0;
  for (let power = 23; power >= 3; power -= 2) sum = (sum + 1 / power) * square;
  return exponent * ln2High + (exponent * ln2Low + 2 * s * (1 + sum));
}

/** e to the power of x. Relative error below 1e-15. @param x from -700 to 700 */
export function exp(x: number): number {
  const power = Math.round(x / Math.LN2);
  const rest = x - power * ln2High - power * ln2Low;
  let sum = 1;
  for (let term = 16; term >= 1; term--) sum = 1 + (rest / term) * sum;
  words.setUint32(0, (power + 1023) << 20);
  words.setUint32(4, 0);
  return sum * words.getFloat64(0);
}

/** Cosine of an angle in degrees. Absolute error below 1e-15. @param degrees from -90 to 90 */
export function cosDegrees(degrees: number): number {
  const angle = (degrees * Math.PI) / 180;
  const square = angle * angle;
  let sum = 1;
  for (let term = 22; term >= 2; term -= 2) sum = 1 - (square / (term * (term - 1))) * sum;
  return sum;
}
