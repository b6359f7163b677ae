/**
 * What keeps the archive from being read or written. `away`: the directory is not there, or is another one, or the file system refuses;
 * `damaged`: a file is not as it was written.
 */
export class ArchiveFailure extends Error {
  override readonly name = "ArchiveFailure";
  readonly kind: "away" | "damaged";

  constructor(kind: "away" | "damaged", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
