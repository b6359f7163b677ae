import { Code } from "@connectrpc/connect";

/** The name of a code in gRPC's spelling, e.g. `INVALID_ARGUMENT`. */
export function codeName(code: Code): string {
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
