import { envelope } from "./envelope.ts";

/** The protocols of a call. JSON is one of Connect's two codecs; testing it there covers JSON. */
export const wireProtocols = ["connect-json", "connect", "grpc", "grpc-web"] as const;

/** One of {@link wireProtocols}. */
export type WireProtocol = (typeof wireProtocols)[number];

/** How a protocol encodes a call. */
export interface CallEncoding {
  contentType: string;
  /** The header that carries the deadline. */
  timeoutHeader: string;
  timeoutValue(timeoutMs: number): string;
  /** The header that names the compression of messages. */
  encodingHeader: string;
  isJson: boolean;
  /** Whether messages are sent in envelopes. */
  isFramed: boolean;
}

/** How a protocol encodes a call of a streaming or unary method. */
export function callEncodingOf(protocol: WireProtocol, isStreaming: boolean): CallEncoding {
  const isJson = protocol === "connect-json";
  const codec = isJson ? "json" : "proto";
  if (protocol === "grpc" || protocol === "grpc-web") {
    return {
      contentType: `application/${protocol}+${codec}`,
      timeoutHeader: "grpc-timeout",
      timeoutValue: (timeoutMs) => `${timeoutMs}m`,
      encodingHeader: "grpc-encoding",
      isJson,
      isFramed: true,
    };
  }
  return {
    contentType: isStreaming ? `application/connect+${codec}` : `application/${codec}`,
    timeoutHeader: "connect-timeout-ms",
    timeoutValue: String,
    encodingHeader: isStreaming ? "connect-content-encoding" : "content-encoding",
    isJson,
    isFramed: isStreaming,
  };
}

/** The body of a call with one message. */
export function bodyOf({ isFramed }: CallEncoding, message: Uint8Array): Buffer {
  return isFramed ? envelope(message) : Buffer.from(message);
}
