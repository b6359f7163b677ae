import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJson, errorToJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { expect, it } from "vitest";
import { PetakError } from "./petak-error.ts";
import { fromConnectError, toConnectError } from "./wire.ts";

/** The first detail of an error in the JSON of Connect. */
function firstDetail(error: PetakError): unknown {
  const { details } = errorToJson(toConnectError(error), undefined) as { details: unknown[] };
  return details[0];
}

const violation = (field: string) => ({ field, description: "must be less than 90", rule: "double.lt" });
const invalid = new PetakError("INVALID_FIELD", "wrong", { fieldViolations: [violation("origin.latitude"), violation("radius_m")] });
const full = new PetakError("NO_PLACE_FREE", "full", { metadata: { site_id: "site_1", subject: "site_1" }, retryAfterMs: 60_000 });

it("states reason, field and delay in JSON, beside the ErrorInfo", () => {
  const info = { type: "google.rpc.ErrorInfo", value: expect.any(String) as unknown };
  expect(firstDetail(new PetakError("INTERNAL", "defect"))).toEqual({
    ...info,
    reason: "INTERNAL",
    debug: { reason: "INTERNAL", domain: "petak.v1" },
  });
  expect(firstDetail(invalid)).toMatchObject({ ...info, reason: "INVALID_FIELD", field: "origin.latitude" });
  expect(firstDetail(full)).toMatchObject({ ...info, reason: "NO_PLACE_FREE", retryAfterMs: 60_000 });
});

it.each([invalid, full])("is read by Connect's client, over Connect and gRPC: $reason", (error) => {
  const { reason, message, metadata, fieldViolations, retryAfterMs } = error;
  const wired = toConnectError(error);
  const overConnect = errorFromJson(errorToJson(wired, undefined), undefined, new ConnectError("unread", Code.Unknown));
  const overGrpc = findTrailerError(setTrailerStatus(new Headers(), wired)) ?? new ConnectError("unread");
  for (const read of [wired, overConnect, overGrpc]) {
    expect(read.code).toBe(wired.code);
    expect(fromConnectError(read)).toMatchObject({ reason, message, metadata, fieldViolations, retryAfterMs });
  }
});
