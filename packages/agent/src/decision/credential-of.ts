import type { Credential } from "./snapshot.ts";

/** What was scanned or typed. A PIN has digits only, perhaps in groups; everything else is a token, perhaps with a proof of presence and a door after it. */
export function credentialOf(text: string): Credential {
  const plain = text.replace(/\s/g, "");
  if (/^\d{1,12}$/.test(plain)) return { pin: plain };
  const [, token = "", presence = "", compartmentId = ""] = /^\s*(\S*)\s*(\S*)\s*(.*?)\s*$/.exec(text) ?? [];
  return { token, ...(presence !== "" && { presence }), ...(compartmentId !== "" && { compartmentId }) };
}
