import { OverflowEnd, type OverflowPolicy } from "@petak/protocol";

/** What a policy says is to be done where no place was found in the end. */
export function overflowEndOf({ overflowPolicy }: { overflowPolicy?: OverflowPolicy | undefined }): OverflowEnd {
  const atEnd = overflowPolicy?.atEnd ?? OverflowEnd.UNSPECIFIED;
  return atEnd === OverflowEnd.UNSPECIFIED ? OverflowEnd.REFUSE : atEnd;
}

/** The same as errors say it, where a policy was declared. */
export function overflowEndMetadata(asked: { overflowPolicy?: OverflowPolicy | undefined }): { overflow_end?: string } {
  if (asked.overflowPolicy === undefined) return {};
  const end = overflowEndOf(asked);
  const [name] = Object.entries(OverflowEnd).find(([, value]) => value === end) ?? [];
  return name === undefined ? {} : { overflow_end: name };
}
