import type { DeviceFact } from "@petak/agent/device";
import { tlsAdvice } from "../tls-advice.ts";

const refusals: Readonly<Record<string, string>> = {
  NOT_ACCEPTED: "this code does not open anything here now",
  PINS_LOCKED: "PINs are locked for some minutes; codes to scan are accepted",
  NO_PLACE_FREE: "no place is free",
  NO_DEPOSITS: "no parcels are taken in for now",
  OUT_OF_ORDER: "the door does not open",
};

const links = {
  unknown: "restored",
  online: "the gateway answers",
  unreachable: "the gateway is not reached; doors open by what is known",
  refused: "the gateway refuses the device",
  cut: "cut",
} as const;

/** A fact in one line for people. */
export function factLine(fact: DeviceFact): string {
  switch (fact.event) {
    case "ready":
      return `Ready: ${fact.doors} ${fact.simulated ? "simulated doors" : "doors"} of ${fact.siteId}, with the key ${fact.keyId}.`;
    case "counter":
      return `counter   tablets connect to ${fact.url}`;
    case "link":
      if (fact.tls !== undefined) return `link      ${links[fact.state]}: ${tlsAdvice(fact.tls, "the gateway")}`;
      return `link      ${links[fact.state]}${fact.reason === undefined ? "" : ` (${fact.reason})`}`;
    case "decision":
      if (!fact.opened) return `refused   ${refusals[fact.refusal] ?? fact.refusal}`;
      return `opens     ${fact.compartmentId} for ${fact.act}${fact.doorsToCome > 0 ? `, ${fact.doorsToCome} more to come` : ""}`;
    case "challenge":
      return `challenge ${fact.challenge} for ${fact.lifetimeMs / 1000} s`;
    case "door":
      return `door      ${fact.compartmentId} ${fact.door.toLowerCase()}, ${fact.occupancy.toLowerCase()}`;
    case "command":
      return `command   ${fact.type.toLowerCase().replaceAll("_", " ")}${fact.compartmentId === "" ? "" : ` ${fact.compartmentId}`}: ${fact.outcome.toLowerCase()}${fact.refusal === "" ? "" : ` (${fact.refusal})`}; "${fact.reason}"`;
    case "power":
      return fact.state === "cut" ? "power     cut" : "power     back: the agent has started with what is on disk";
    case "jam":
      return `jam       ${fact.compartmentId} ${fact.jammed ? "is jammed" : "is free again"}`;
    case "log":
      return `${fact.level.padEnd(9)} ${fact.message}${fact.detail === undefined ? "" : `: ${fact.detail}`}`;
  }
}
