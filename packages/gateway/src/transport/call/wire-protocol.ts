/** The protocol of a call. Each has its own place for an error: see `http/error-answer.ts`. */
export type WireProtocol = "connect" | "connect-stream" | "grpc" | "grpc-web";

/** Returns the protocol that a content type denotes: plain Connect unless it denotes gRPC, gRPC-Web or a Connect stream. */
export function wireProtocolOf(contentType: string | null | undefined): WireProtocol {
  const type = (contentType ?? "").toLowerCase();
  if (/^application\/grpc(\+|;|$)/.test(type)) return "grpc";
  if (/^application\/grpc-web(\+|;|$)/.test(type)) return "grpc-web";
  if (/^application\/connect\+/.test(type)) return "connect-stream";
  return "connect";
}
