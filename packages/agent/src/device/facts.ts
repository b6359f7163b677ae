import type { TlsProblem } from "@petak/client/node";
import type { DoorState, Occupancy } from "../cabinet/cabinet.ts";
import type { PersonRefusal } from "../decision/refusals.ts";
import type { CommandFact } from "../door/commands.ts";
import type { AgentLogger } from "../logger.ts";

/** Whether the gateway answers: `cut` by hand, `unreachable` otherwise, `refused` with a reason. */
export type LinkState = "unknown" | "online" | "unreachable" | "refused" | "cut";

/** Something that happened at a device, for people and machines. It contains no credential. */
export type DeviceFact =
  | { readonly event: "ready"; readonly siteId: string; readonly keyId: string; readonly doors: number; readonly simulated: boolean }
  | { readonly event: "counter"; readonly url: string }
  | { readonly event: "link"; readonly state: LinkState; readonly reason?: string; readonly tls?: TlsProblem }
  | {
      readonly event: "decision";
      readonly opened: true;
      readonly compartmentId: string;
      readonly act: string;
      readonly doorsToCome: number;
    }
  | { readonly event: "decision"; readonly opened: false; readonly refusal: PersonRefusal }
  | { readonly event: "challenge"; readonly challenge: string; readonly lifetimeMs: number }
  | { readonly event: "door"; readonly compartmentId: string; readonly door: DoorState; readonly occupancy: Occupancy }
  | ({ readonly event: "command" } & CommandFact)
  | { readonly event: "power"; readonly state: "cut" | "back" }
  | { readonly event: "jam"; readonly compartmentId: string; readonly jammed: boolean }
  | { readonly event: "log"; readonly level: "info" | "warn" | "error"; readonly message: string; readonly detail?: string };

/** Hears of everything that happens at a device. */
export type Tell = (fact: DeviceFact) => void;

/** A logger that tells its messages as facts. */
export function loggerTo(tell: Tell): AgentLogger {
  const level = (name: "info" | "warn" | "error") => (fields: object, message: string) => {
    const { err, traceId } = fields as { err?: unknown; traceId?: string };
    const details = [err instanceof Error && err.message, traceId && `trace ${traceId}`].filter(Boolean);
    tell({ event: "log", level: name, message, ...(details.length > 0 && { detail: details.join("; ") }) });
  };
  return { info: level("info"), warn: level("warn"), error: level("error") };
}
