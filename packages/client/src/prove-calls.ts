import { type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";
import { wantsProof } from "@petak/protocol";
import type { RequestSigner } from "./request-signer.ts";

/** The header that carries a proof, as in RFC 9449. */
const proofHeader = "dpop";

/**
 * Adds a proof to a unary call that needs one, or may need one, by its schema. It must be the last change of the call: the proof covers the bytes of the message, which are
 * encoded here as the transport will encode them again.
 *
 * @param isJson whether the transport encodes messages as JSON
 */
export async function proveCall(request: UnaryRequest, signer: RequestSigner, isJson: boolean): Promise<void> {
  const { method, message, url, header } = request;
  if (!wantsProof(method, message)) return;
  const bytes = isJson ? new TextEncoder().encode(toJsonString(method.input, message)) : toBinary(method.input, message);
  const { requestId } = message as Message & { requestId?: string };
  header.set(proofHeader, await signer.prove({ url, message: bytes, requestId, authorization: header.get("authorization") ?? "" }));
}
