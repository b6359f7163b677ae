import { gunzipSync } from "node:zlib";
import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import { compressedFlag } from "@connectrpc/connect/protocol";
import type { WireProtocol } from "../call/wire-protocol.ts";
import type { CallLimits } from "../limits/call-limits.ts";

/** The context value that returns the message of a call as sent. Undefined unless it is kept. */
export const sentMessageKey: ContextKey<(() => Uint8Array) | undefined> = createContextKey<(() => Uint8Array) | undefined>(undefined, {
  description: "the request message as sent",
});

/** What the body of a unary call looks like. */
interface SentForm {
  protocol: WireProtocol;
  /** The Content-Encoding header, by which Connect names the compression. */
  encoding: string | undefined;
  limits: CallLimits;
}

/** Length of what precedes a message of gRPC and gRPC-Web, in bytes. */
const envelopeHeaderBytes = 5;

/**
 * Passes the body of a unary call on and keeps it, so that a step can get the bytes of its message, which the library does not tell. The value is read after
 * the library has read the whole body and found one message in it.
 */
export async function* keepSentMessage(
  body: AsyncIterable<Uint8Array>,
  values: ContextValues,
  { protocol, encoding, limits }: SentForm,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks: Uint8Array[] = [];
  const gunzip = (bytes: Uint8Array) => gunzipSync(bytes, { maxOutputLength: limits.readMaxBytes });
  values.set(sentMessageKey, () => {
    const whole = Buffer.concat(chunks);
    if (protocol === "connect") return encoding === undefined || encoding === "identity" ? whole : gunzip(whole);
    const message = whole.subarray(envelopeHeaderBytes);
    return ((whole[0] ?? 0) & compressedFlag) === 0 ? message : gunzip(message);
  });
  for await (const chunk of body) {
    chunks.push(chunk);
    yield chunk;
  }
}
