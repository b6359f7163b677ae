import { fromBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { BadRequestSchema, ErrorInfoSchema, PreconditionFailureSchema, RetryInfoSchema, StatusSchema } from "@petak/protocol/google-rpc";
import { readEnvelopes } from "./envelope.ts";
import { readFields } from "./http1-parser.ts";
import type { RawAnswer } from "./raw-answer.ts";

/** An error as transmitted, independent of the protocol. */
export interface Failure {
  code: Code;
  message: string;
  /** The reason of the ErrorInfo; undefined if there is none. */
  reason: string | undefined;
  domain: string | undefined;
  metadata: Record<string, string>;
  /** The path and rule of each field in the BadRequest. */
  violations: { field: string; rule: string }[];
  /** The subject of the PreconditionFailure; undefined if there is none. */
  preconditionSubject: string | undefined;
  /** The delay of the RetryInfo; undefined if there is none. */
  retryAfterMs: number | undefined;
  /** What the first detail states beside its message; undefined over gRPC and gRPC-Web, which have no such place. */
  plain: PlainFacts | undefined;
}

/** What a caller of Connect can read without Protobuf. */
interface PlainFacts {
  reason?: string;
  field?: string;
  retryAfterMs?: number;
}

interface Detail {
  type: string;
  value: Uint8Array;
}

/** Flags of the last envelope of a Connect stream and of gRPC-Web. */
const connectEndFlag = 0x02;
const grpcWebTrailerFlag = 0x80;

/** The error in a response, from the place defined by its protocol; undefined for a success. Throws if the response was cut off. */
export function readFailure({ status, headers, trailers, body }: RawAnswer): Failure | undefined {
  const contentType = headers["content-type"] ?? "";
  if (/^application\/grpc-web/.test(contentType)) {
    const last = readEnvelopes(body).find(({ flags }) => (flags & grpcWebTrailerFlag) !== 0);
    return readGrpc(last === undefined ? headers : readFields(last.data.toString("latin1").split("\r\n")));
  }
  // A response without messages carries its trailers in its headers.
  if (/^application\/grpc/.test(contentType)) return readGrpc({ ...headers, ...trailers });
  if (/^application\/connect\+/.test(contentType)) {
    const end = readEnvelopes(body).find(({ flags }) => (flags & connectEndFlag) !== 0);
    if (end === undefined) throw new Error("a Connect stream without its end");
    const { error } = JSON.parse(end.data.toString()) as { error?: ConnectErrorJson };
    return error === undefined ? undefined : readConnect(error);
  }
  return status === 200 ? undefined : readConnect(JSON.parse(body.toString()) as ConnectErrorJson);
}

interface ConnectErrorJson {
  code?: string;
  message?: string;
  details?: ({ type: string; value: string } & PlainFacts)[];
}

function readConnect({ code = "", message = "", details = [] }: ConnectErrorJson): Failure {
  const found = codeFromString(code);
  if (found === undefined) throw new Error(`"${code}" is no code`);
  const bytes = details.map(({ type, value }) => ({ type, value: Buffer.from(value, "base64") }));
  const [{ reason, field, retryAfterMs } = {}] = details;
  return { ...describe(found, message, bytes), plain: { reason, field, retryAfterMs } };
}

function readGrpc(fields: Readonly<Record<string, string>>): Failure | undefined {
  const status = Number(fields["grpc-status"]);
  if (!Number.isInteger(status)) throw new Error(`gRPC without a status: ${JSON.stringify(fields).slice(0, 200)}`);
  if (status === 0) return undefined;
  if (!(status in Code)) throw new Error(`${status} is no code`);
  const bytes = fields["grpc-status-details-bin"];
  const details = bytes === undefined ? [] : fromBinary(StatusSchema, Buffer.from(bytes, "base64")).details;
  return describe(
    status,
    decodeURIComponent(fields["grpc-message"] ?? ""),
    details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value })),
  );
}

function describe(code: Code, message: string, details: readonly Detail[]): Failure {
  const bytesOf = (typeName: string): Uint8Array | undefined => details.find(({ type }) => type === typeName)?.value;
  const info = bytesOf(ErrorInfoSchema.typeName);
  const badRequest = bytesOf(BadRequestSchema.typeName);
  const precondition = bytesOf(PreconditionFailureSchema.typeName);
  const retry = bytesOf(RetryInfoSchema.typeName);
  const { reason, domain, metadata = {} } = info === undefined ? {} : fromBinary(ErrorInfoSchema, info);
  const retryDelay = retry === undefined ? undefined : fromBinary(RetryInfoSchema, retry).retryDelay;
  return {
    code,
    message,
    reason,
    domain,
    metadata,
    violations:
      badRequest === undefined
        ? []
        : fromBinary(BadRequestSchema, badRequest).fieldViolations.map(({ field, reason: rule }) => ({ field, rule })),
    preconditionSubject:
      precondition === undefined ? undefined : fromBinary(PreconditionFailureSchema, precondition).violations[0]?.subject,
    retryAfterMs: retryDelay === undefined ? undefined : durationMs(retryDelay),
    plain: undefined,
  };
}
