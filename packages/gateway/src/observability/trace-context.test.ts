import { expect, test } from "vitest";
import { parseTraceparent } from "./trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

test.each([
  ["sampled", `00-${traceId}-${spanId}-01`, true],
  ["not sampled", `00-${traceId}-${spanId}-00`, false],
  ["with flags that are unknown here", `00-${traceId}-${spanId}-fe`, false],
  ["of a later version", `cc-${traceId}-${spanId}-01`, true],
  ["of a later version with more fields", `cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, true],
])("a traceparent that is %s is read", (_name, header, isSampled) => {
  expect(parseTraceparent(header)).toEqual({ traceId, spanId, isSampled });
});

// Most are cases of W3C's own tests of trace context.
test.each([
  ["absent", undefined],
  ["empty", ""],
  ["of the forbidden version", `ff-${traceId}-${spanId}-01`],
  ["of version 00 with more fields", `00-${traceId}-${spanId}-01-what`],
  ["of version 00 with a hyphen at the end", `00-${traceId}-${spanId}-01-`],
  ["of a later version without a hyphen", `cc-${traceId}-${spanId}-01.what`],
  ["with a trace of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
  ["with a span of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
  ["in upper case", `00-${traceId.toUpperCase()}-${spanId}-01`],
  ["with a trace too short", `00-${traceId.slice(1)}-${spanId}-01`],
  ["with a trace too long", `00-${traceId}1-${spanId}-01`],
  ["with illegal characters in its flags", `00-${traceId}-${spanId}-.0`],
  ["with one digit of flags", `00-${traceId}-${spanId}-1`],
  ["two in one", `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
  ["followed by a line", `00-${traceId}-${spanId}-01\n`],
])("a traceparent that is %s is ignored", (_name, header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
