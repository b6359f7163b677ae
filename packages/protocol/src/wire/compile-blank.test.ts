import { setFlagsFromString } from "node:v8";
import {
  create,
  type DescMessage,
  equals,
  fromBinary,
  type MessageShape,
  mergeFromBinary,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { DeviceEventSchema, EventSchema, ReservationSchema, ReserveRequestSchema, SiteSchema } from "../index.ts";
import { compileBlank } from "./compile-blank.ts";

setFlagsFromString("--allow-natives-syntax");
/** Whether V8 stores an object with a fixed shape, not as a hash table. */
const hasShape = new Function("object", "return %HasFastProperties(object)") as (object: object) => boolean;

const schemas: DescMessage[] = [DeviceEventSchema, EventSchema, ReservationSchema, SiteSchema, ReserveRequestSchema];

test.each(schemas)("a blank message of %s is what the library creates", (schema) => {
  const blank = compileBlank(schema)();

  expect(blank).toEqual(create(schema));
  expect(equals(schema, blank, create(schema))).toBe(true);
  expect(toBinary(schema, blank)).toEqual(new Uint8Array());
  expect(toJsonString(schema, blank)).toBe("{}");
});

test("no two blank messages share a list, or what says which field is set", () => {
  const reservation = compileBlank(ReservationSchema);
  const request = compileBlank(ReserveRequestSchema);

  reservation().queuedSiteIds.push("site_836526_1");
  request().place.case = "siteId" as never;

  expect(reservation().queuedSiteIds).toEqual([]);
  expect(request().place).toEqual({ case: undefined });
});

const reservation = create(ReservationSchema, {
  siteId: "site_836526_1",
  parcel: { widthMm: 300, heightMm: 100, depthMm: 400 },
  createdAt: timestampFromMs(0),
  queuedSiteIds: ["site_836526_1"],
});

test("what is read into a blank message is what the library reads, with what is not known", () => {
  const bytes = Buffer.concat([toBinary(ReservationSchema, reservation), Buffer.from([0xfa, 0x3f, 1, 7])]);

  const read = mergeFromBinary(ReservationSchema, compileBlank(ReservationSchema)(), bytes);

  expect(read).toEqual(fromBinary(ReservationSchema, bytes));
  expect(read.$unknown).toHaveLength(1);
});

test("a message keeps its shape when it is filled, read and copied", () => {
  const blank: () => MessageShape<typeof ReservationSchema> = compileBlank(ReservationSchema);
  const filled = blank();
  filled.createdAt = timestampFromMs(0);
  const read = mergeFromBinary(ReservationSchema, blank(), toBinary(ReservationSchema, reservation));

  expect([filled, read, { ...read, updatedAt: undefined }].map(hasShape)).toEqual([true, true, true]);
  // If this fails, the library's own messages are fast enough and compileBlank can go.
  expect(hasShape(create(ReservationSchema))).toBe(false);
});
