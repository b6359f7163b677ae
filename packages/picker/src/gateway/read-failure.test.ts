import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema, RetryInfoSchema } from "@petak/protocol/google-rpc";
import { expect, test } from "vitest";
import { readFailure } from "./read-failure.ts";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replaceAll("=", "");

test("an error of the gateway has its reason, and when to come back", () => {
  const info = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason: "RATE_LIMITED", domain: "petak.dev", metadata: { a: "b" } }));
  const retry = toBinary(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationFromMs(200_400) }));
  const details = [
    { type: "google.rpc.ErrorInfo", value: base64(info) },
    { type: "google.rpc.RetryInfo", value: base64(retry) },
  ];
  expect(readFailure(429, { code: "resource_exhausted", message: "slower", details })).toEqual({
    reason: "RATE_LIMITED",
    message: "slower",
    isPassing: true,
    retryAfterMs: 201_000,
  });
});

test.each([
  [502, undefined, true],
  [404, { page: 1 }, false],
  [200, null, false],
])("HTTP %i with %j is no answer of a gateway", (status, body, isPassing) => {
  expect(readFailure(status, body)).toMatchObject({ reason: "GATEWAY_ANSWER_INVALID", isPassing });
});

test.each([[[{ type: "google.rpc.ErrorInfo", value: "***" }]], [[null]], ["x"], [[{ type: "google.rpc.ErrorInfo", value: "Cg==" }]]])(
  "details that are no details, as %j, leave the code",
  (details) => {
    expect(readFailure(400, { code: "unimplemented", details })).toMatchObject({ reason: "UNIMPLEMENTED", isPassing: false });
  },
);
