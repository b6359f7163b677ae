import { create, type DescMessage, type MessageInitShape, toBinary, toJson } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "../gen/petak/v1/error_reason_pb.ts";
import { BadRequestSchema, ErrorInfoSchema, PreconditionFailureSchema, RetryInfoSchema } from "../google-rpc.ts";
import { catalogue, type Reason } from "./catalogue.ts";
import { errorDomain } from "./error-domain.ts";
import { PetakError } from "./petak-error.ts";

type Detail = { desc: DescMessage; value: MessageInitShape<DescMessage> };

/** Converts an error of the domain to one of the wire, with the code and the details of its reason. The only place that does so. */
export function toConnectError(error: PetakError): ConnectError {
  const wired = new ConnectError(error.message, catalogue[error.reason].code, undefined, undefined, error.cause);
  wired.details = [infoDetail(error), ...otherDetails(error)];
  return wired;
}

/**
 * The ErrorInfo, and beside it what programs ask for first: the `reason`, the first invalid `field`, and `retryAfterMs`. Connect sends these members in the
 * JSON of the detail, for callers without Protobuf; its clients pass over members that they do not know. gRPC sends the ErrorInfo alone.
 */
function infoDetail({ reason, metadata, fieldViolations: [violation], retryAfterMs }: PetakError) {
  const info = create(ErrorInfoSchema, { reason, domain: errorDomain, metadata });
  return {
    type: ErrorInfoSchema.typeName,
    reason,
    ...(violation !== undefined && { field: violation.field }),
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    debug: toJson(ErrorInfoSchema, info),
    value: toBinary(ErrorInfoSchema, info),
  };
}

/** BadRequest, PreconditionFailure and RetryInfo, as they apply. */
function otherDetails(error: PetakError): Detail[] {
  const details: Detail[] = [];
  if (error.fieldViolations.length > 0) {
    details.push({
      desc: BadRequestSchema,
      value: create(BadRequestSchema, {
        fieldViolations: error.fieldViolations.map(({ field, description, rule }) => ({ field, description, reason: rule })),
      }),
    });
  }
  if (catalogue[error.reason].code === Code.FailedPrecondition) {
    details.push({
      desc: PreconditionFailureSchema,
      value: create(PreconditionFailureSchema, {
        violations: [{ type: error.reason, subject: error.metadata.subject ?? "", description: error.message }],
      }),
    });
  }
  if (error.retryAfterMs !== undefined) {
    details.push({
      desc: RetryInfoSchema,
      value: create(RetryInfoSchema, { retryDelay: durationFromMs(error.retryAfterMs) }),
    });
  }
  return details;
}

/** The reason of an error from a gateway. Undefined if it has none, or one that is not in the catalogue. */
export function reasonOf(error: unknown): Reason | undefined {
  if (error instanceof PetakError) return error.reason;
  const info = ConnectError.from(error)
    .findDetails(ErrorInfoSchema)
    .find(({ domain }) => domain === errorDomain);
  return info !== undefined && isReason(info.reason) ? info.reason : undefined;
}

/** Whether a text names a reason. Asks the enum and not the catalogue, whose sentences a web page would have to load. */
function isReason(text: string): text is Reason {
  return text !== "UNSPECIFIED" && Object.hasOwn(ErrorReason, text);
}

/** Converts an error from a gateway to one of the domain. Undefined if it has no reason of the catalogue. */
export function fromConnectError(error: ConnectError): PetakError | undefined {
  const reason = reasonOf(error);
  if (reason === undefined) return undefined;
  const info = error.findDetails(ErrorInfoSchema)[0];
  const retryDelay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new PetakError(reason, error.rawMessage, {
    metadata: info?.metadata ?? {},
    fieldViolations: error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations)
      .map(({ field, description, reason: rule }) => ({ field, description, rule })),
    retryAfterMs: retryDelay === undefined ? undefined : Number(retryDelay.seconds) * 1000 + Math.round(retryDelay.nanos / 1e6),
    cause: error,
  });
}
