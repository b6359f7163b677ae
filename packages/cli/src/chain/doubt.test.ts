import { create } from "@bufbuild/protobuf";
import { DoubtReason, EventSchema, EventType } from "@petak/protocol";
import { expect, it } from "vitest";
import { describeDoubt } from "./doubt.ts";

it("a doubt is described by its reason and by what was reported", () => {
  const { REPORTED, CONTRADICTION, CREDENTIAL_NOT_ISSUED } = DoubtReason;
  const said = (doubtReason: DoubtReason, reportedType: EventType = EventType.UNSPECIFIED) =>
    describeDoubt(create(EventSchema, { doubtReason, reportedType }));
  expect(said(REPORTED)).toBe("the sensors do not tell");
  expect(said(CONTRADICTION, EventType.PARCEL_RECALLED)).toBe("PARCEL_RECALLED reported against the record");
  expect(said(CREDENTIAL_NOT_ISSUED, EventType.PARCEL_COLLECTED)).toBe("PARCEL_COLLECTED reported with a credential that was never issued");
  // Of an earlier gateway, and of a later one.
  expect([said(DoubtReason.UNSPECIFIED), said(99 as DoubtReason)]).toEqual(["", "99"]);
});
