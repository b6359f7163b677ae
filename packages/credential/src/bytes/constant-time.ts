/**
 * Whether two byte strings are equal, in a time that depends on their lengths only, so that timing does not reveal how much of a guess is right. Strings of
 * different lengths are unequal.
 */
export function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
