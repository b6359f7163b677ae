/** The set-up failed. The message is one sentence for the user, preceded by the output of what failed. */
export class SetUpError extends Error {
  /** @override */
  name = "SetUpError";
}
