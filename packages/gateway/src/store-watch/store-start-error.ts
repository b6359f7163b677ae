/** Redis could not be reached at a start, or took no changes. The message says which server it is, why as far as is known, and what to do. */
export class StoreStartError extends Error {
  override readonly name = "StoreStartError";
}
