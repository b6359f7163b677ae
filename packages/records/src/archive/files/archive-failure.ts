/**
 * What keeps the archive from being read or written. `away`: the directory is not there, or is another one, or the file system refuses;
 * `damaged`: a file is not as it was written; `unreadable`: it has a version that this release does not read.
 */
export class ArchiveFailure extends Error {
  override readonly name = "ArchiveFailure";
  readonly kind: "away" | "damaged" | "unreadable";

  constructor(kind: "away" | "damaged" | "unreadable", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
