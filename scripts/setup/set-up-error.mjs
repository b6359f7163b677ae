/** Setting up cannot go on. The message is for the person at the keyboard: what failed said it first, then one sentence on the way out. */
export class SetUpError extends Error {
  /** @override */
  name = "SetUpError";
}
