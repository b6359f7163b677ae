/** Whether a value is a number that a field of type uint32 takes as it is. */
export function isUint32(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff && !Object.is(value, -0);
}
