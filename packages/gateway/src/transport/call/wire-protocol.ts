/** How a call comes over the wire. Each has its own place for an error: see `http/error-answer.ts`. */
export type WireProtocol = "connect" | "connect-stream" | "grpc" | "grpc-web";

/** The protocol that a content type says. Whatever is neither gRPC, gRPC-Web nor a Connect stream is answered as plain Connect JSON. */
export function wireProtocolOf(contentType: string | null | undefined): WireProtocol {
  const type = (contentType ?? "").toLowerCase();
  if (/^application\/grpc(\+|;|$)/.test(type)) return "grpc";
  if (/^application\/grpc-web(\+|;|$)/.test(type)) return "grpc-web";
  if (/^application\/connect\+/.test(type)) return "connect-stream";
  return "connect";
}
