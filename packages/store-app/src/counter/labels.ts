import { canonicalLabelCode } from "@petak/protocol/label-code";

/** Whether two codes are of one label, as the agent compares them: scanners differ in spaces, and people in capitals. */
export function isSameLabel(one: string, other: string): boolean {
  return canonicalLabelCode(one) === canonicalLabelCode(other);
}
