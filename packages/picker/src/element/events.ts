import type { PickerChoice } from "../choice/choice.ts";
import type { Problem } from "../gateway/problem.ts";

/** The events of a picker. They bubble, and each goes to later listeners too while it is true. */
export interface PickerEvents {
  /** The picker is shown, in its language. */
  "petak-ready": CustomEvent<{ readonly language: string }>;
  /** The shopper has chosen a place, a kept choice was found again, or, `null`, a choice is not possible any more. */
  "petak-choice": CustomEvent<PickerChoice | null>;
  /** Something went wrong; `reason` is for the shop. */
  "petak-error": CustomEvent<Problem>;
}
