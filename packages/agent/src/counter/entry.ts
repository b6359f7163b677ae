import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EntryRefusal, type EntryResult, EntryResultSchema } from "@petak/protocol/counter";

/** By whom, where and as which entry something was done. */
export interface Made {
  readonly entryId: string;
  readonly tabletId: string;
  readonly clerkId: string;
  readonly isOwner: boolean;
  /** When the clerk did it, by the tablet's clock, in ms. */
  readonly atMs: number;
}

/** An entry that was done. */
export function result({ entryId }: Pick<Made, "entryId">, what: MessageInitShape<typeof EntryResultSchema> = {}): EntryResult {
  return create(EntryResultSchema, { ...what, entryId, refusal: EntryRefusal.UNSPECIFIED });
}

/** Why an entry comes to nothing. OTHER_SITE may name the sites. */
export type Refusal = Pick<EntryResult, "refusal" | "otherSiteNames">;

/** An entry that came to nothing. */
export function refused({ entryId }: Pick<Made, "entryId">, why: EntryRefusal | Refusal): EntryResult {
  return create(EntryResultSchema, typeof why === "number" ? { entryId, refusal: why } : { ...why, entryId });
}

/** The disk does not take what a clerk did: the entry stays on the tablet, which sends it again. */
export class NotWrittenError extends Error {
  override name = "NotWrittenError";
}
