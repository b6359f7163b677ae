import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { PetakError } from "@petak/protocol";
import type { Call } from "../call/call.ts";
import { wireError } from "../errors/wire-error.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest } from "../http/node-http.ts";

/** Refuses gRPC over HTTP/1.1: its status follows the body, where clients of HTTP/1.1 do not read it, so an error would look like an empty success. */
export function grpcNeedsHttp2(call: Call): UniversalServerResponse {
  const error = new PetakError("ENCODING_NOT_SUPPORTED", "gRPC requires HTTP/2. Use gRPC-Web or Connect over HTTP/1.1.");
  return errorAnswer("connect", wireError(error, call), { status: 505 });
}

/** Adds a body with the reason to a refusal of the RPC library that is a bare status: 405, 415 or 505. */
export function explainedRefusal(
  refusal: UniversalServerResponse,
  handler: UniversalHandler,
  request: NodeServerRequest,
  call: Call,
): UniversalServerResponse {
  const header = Object.fromEntries(refusal.header ?? []);
  const { status } = refusal;
  const path = handler.requestPath;
  const methods = handler.allowedMethods.filter((one, index, all) => all.indexOf(one) === index).join(", ");
  if (status === 405) {
    const error = new PetakError("METHOD_NOT_FOUND", `${path} must be called with ${methods}, not ${request.method}.`);
    return errorAnswer("connect", wireError(error, call), { status, header: { ...header, allow: methods } });
  }
  if (status === 505) {
    const error = new PetakError("ENCODING_NOT_SUPPORTED", `${path} is a bidirectional stream, which requires HTTP/2.`);
    return errorAnswer("connect", wireError(error, call), { status, header });
  }
  const accepted = acceptedContentTypes(handler);
  const error = new PetakError("ENCODING_NOT_SUPPORTED", unsupported(path, request, accepted), { metadata: { accepted } });
  return errorAnswer("connect", wireError(error, call), { status: 415, header: { ...header, "accept-post": accepted } });
}

function unsupported(path: string, request: NodeServerRequest, accepted: string): string {
  if (request.method === "GET") return `${path} called with GET requires the query parameters encoding (json or proto) and message.`;
  const type = request.headers["content-type"];
  return `${type === undefined ? "No content type" : `Content type ${type}`} for ${path}. Send one of: ${accepted}.`;
}

function acceptedContentTypes({ method }: UniversalHandler): string {
  const connect =
    method.methodKind === "unary" ? ["application/json", "application/proto"] : ["application/connect+json", "application/connect+proto"];
  return [...connect, "application/grpc", "application/grpc-web"].join(", ");
}
