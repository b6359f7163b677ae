import { switchedOffVariable } from "./special-paths.ts";

/** The switches of the gateway as the environment has them; all on where it says nothing. */
export function gatewaySwitches(): { hasLeanPath: boolean; hasLane: boolean } {
  const off = (process.env[switchedOffVariable] ?? "").split(",");
  return { hasLeanPath: !off.includes("lean"), hasLane: !off.includes("lane") };
}
