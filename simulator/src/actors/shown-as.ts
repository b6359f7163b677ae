import { createHash } from "node:crypto";
import type { Credential } from "@petak/agent";
import type { DoorActed } from "../observe/observation.ts";

/** What was shown at a door, without the secret. */
export function shownAs(credential: Credential): Pick<DoorActed, "by" | "credentialHash"> {
  const [by, text] = "pin" in credential ? (["PIN", credential.pin] as const) : (["TOKEN", credential.token] as const);
  return { by, credentialHash: createHash("sha256").update(text).digest("base64url") };
}
