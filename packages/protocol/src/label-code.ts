/**
 * The canonical form of a code on a parcel's label, by which codes are compared everywhere: without white space, in which scanners differ, and in
 * capitals, in which people do.
 */
export function canonicalLabelCode(code: string): string {
  return code.replace(/\s/g, "").toUpperCase();
}
