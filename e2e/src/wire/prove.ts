import { type DescMethod, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { mayNeedProof } from "@petak/protocol";
import { signerOf } from "@petak/testkit/network";
import { everyMethod } from "../testing/every-method.ts";

/** A call whose bytes are ready. */
export interface CallToProve {
  /** The Authorization header. */
  authorization: string | undefined;
  path: string;
  /** The message as it is sent, without its envelope. */
  message: Uint8Array;
  isJson: boolean;
}

const methods = new Map(everyMethod.map((method) => [`/${method.parent.typeName}/${method.name}`, method]));

/** The headers that prove a call as its caller would: none if its method never needs a proof, or the caller has no key. */
export async function proofOf({ authorization = "", path, message, isJson }: CallToProve): Promise<{ dpop?: string }> {
  const method = methods.get(path);
  const signer = signerOf(authorization);
  if (method === undefined || signer === undefined || !mayNeedProof(method)) return {};
  // One that is no UUID is refused before the proof is looked at, and may be too long for a header.
  const requestId = requestIdIn(method, message, isJson)?.slice(0, 100);
  return { dpop: await signer.prove({ url: `http://gateway.test${path}`, message, requestId, authorization }) };
}

/** The request id in a message. If it is no message of the method, the gateway does not come to the proof. */
function requestIdIn({ input }: DescMethod, message: Uint8Array, isJson: boolean): string | undefined {
  try {
    const read = isJson ? fromJsonString(input, Buffer.from(message).toString()) : fromBinary(input, message);
    return (read as Message & { requestId?: string }).requestId;
  } catch {
    return undefined;
  }
}
