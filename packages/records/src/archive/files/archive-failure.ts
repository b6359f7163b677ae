/**
 * The archive cannot be read or written. `unavailable`: the directory or a file is missing, or the directory belongs to another archive; `damaged`: a file is not as
 * it was written; `unreadable`: it has a version that this release does not read.
 */
export class ArchiveFailure extends Error {
  override readonly name = "ArchiveFailure";
  readonly kind: "unavailable" | "damaged" | "unreadable";

  constructor(kind: "unavailable" | "damaged" | "unreadable", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
