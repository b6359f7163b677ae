import { Code, ConnectError } from "@connectrpc/connect";
import { PetakError, toConnectError } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import { ExitCode } from "./exit-code.ts";
import { CliFailure, toFailure, usageFailure } from "./failure.ts";

const url = "http://127.0.0.1:8420";

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("a refusal of the gateway keeps its reason, its facts and its fields", () => {
  const violation = { field: "limit", description: "is too great", rule: "uint32.lte" };
  const refused = new PetakError("INVALID_FIELD", "limit: is too great", { metadata: { limit: "50" }, fieldViolations: [violation] });
  for (const error of [refused, toConnectError(refused)]) {
    expect(toFailure(error, url)).toMatchObject({
      exitCode: ExitCode.failed,
      reason: "INVALID_FIELD",
      message: "limit: is too great",
      metadata: { limit: "50" },
      fieldViolations: [violation],
    });
  }
});

describe("an unreachable gateway ends with 3 and a remedy", () => {
  test.each<[string, ConnectError, RegExp]>([
    [
      "nobody listens",
      new ConnectError("x", Code.Unavailable, undefined, undefined, systemError("ECONNREFUSED")),
      /^No gateway answers at http:\/\/127\.0\.0\.1:8420\. Start one with `npm start`, or check --url and PETAK_URL\.$/,
    ],
    [
      "nobody listens at any of the addresses",
      new ConnectError(
        "x",
        Code.Internal,
        undefined,
        undefined,
        new AggregateError([systemError("ECONNREFUSED"), systemError("ECONNREFUSED")]),
      ),
      /npm start/,
    ],
    ["no cause is known", new ConnectError("x", Code.Unavailable), /npm start/],
    [
      "the name is not known",
      new ConnectError("x", Code.Unavailable, undefined, undefined, systemError("ENOTFOUND")),
      /host name cannot be resolved/,
    ],
    [
      "the connection breaks",
      new ConnectError("x", Code.Aborted, undefined, undefined, systemError("ECONNRESET")),
      /\(ECONNRESET\): .*maxConnectionsPerAddress/,
    ],
    ["something else answers", new ConnectError("HTTP 404", Code.Unimplemented), /is not a Petak gateway \(HTTP 404\)/],
  ])("%s", (_, error, message) => {
    const failure = toFailure(error, url);
    expect(failure.exitCode).toBe(ExitCode.unreachable);
    expect(failure.message).toMatch(message);
  });
});

test.each([
  ["http://h:1", "EPIPE", /If it speaks TLS, write https:\/\//],
  ["https://h:1", "EPROTO", /does not speak TLS \(EPROTO\)\. Write http:\/\//],
  ["https://h:1", "CERT_HAS_EXPIRED", /gateway at https:\/\/h:1 has a TLS certificate that is not accepted \(CERT_HAS_EXPIRED\)/],
  ["https://h:1", "ERR_TLS_CERT_ALTNAME_INVALID", /is not accepted \(ERR_TLS_CERT_ALTNAME_INVALID\)/],
  ["https://h:1", "DEPTH_ZERO_SELF_SIGNED_CERT", /--tls-ca \(PETAK_TLS_CA\)/],
  ["https://h:1", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", /got none that it accepts .*--tls-client-cert and --tls-client-key/],
  ["https://h:1", "ECONNRESET", /maxConnectionsPerAddress.*--tls-client-cert and --tls-client-key/],
])("TLS that does not come about is named: %s, %s", (address, code, message) => {
  const failure = toFailure(new ConnectError("x", Code.Internal, undefined, undefined, systemError(code)), address);
  expect([failure.exitCode, failure.message]).toEqual([ExitCode.unreachable, expect.stringMatching(message)]);
});

test("an address with a path is doubted where the gateway knows no such method", () => {
  const unknown = new PetakError("METHOD_NOT_FOUND", "There is no such method.");
  expect(toFailure(unknown, `${url}/api`).message).toBe(
    `There is no such method. The address ${url}/api has a path; most gateways have none: check --url.`,
  );
  expect(toFailure(unknown, url).message).toBe("There is no such method.");
});

test("a gateway that says it is unavailable was reached", () => {
  const failure = toFailure(toConnectError(new PetakError("STORE_UNAVAILABLE", "the records cannot be reached")), url);
  expect(failure).toMatchObject({ exitCode: ExitCode.failed, reason: "STORE_UNAVAILABLE" });
});

test("a gateway that does not answer in time, failures and other errors", () => {
  expect(toFailure(new ConnectError("x", Code.DeadlineExceeded), url)).toMatchObject({ exitCode: ExitCode.failed, reason: "timeout" });
  const own = usageFailure("Say what.");
  expect(toFailure(own, url)).toBe(own);
  expect(own).toMatchObject({ exitCode: ExitCode.usage, reason: "usage" });
  expect(toFailure(new Error("boom"), url)).toMatchObject({ exitCode: ExitCode.failed, message: "boom" });
  expect(toFailure("boom", url)).toBeInstanceOf(CliFailure);
});
