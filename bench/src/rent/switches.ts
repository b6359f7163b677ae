import { switchedOffVariable } from "./special-paths.ts";

/** Reads the gateway's switches from the environment. Default: all on. */
export function gatewaySwitches(): { hasUnaryFastPath: boolean; hasHttp1FastReader: boolean } {
  const off = (process.env[switchedOffVariable] ?? "").split(",");
  return { hasUnaryFastPath: !off.includes("unary-fast-path"), hasHttp1FastReader: !off.includes("http1-fast-reader") };
}
