import { AuditKind } from "@petak/protocol";
import type { OwnChange } from "../features/audit/own-changes.ts";
import type { IssuerCertificates } from "../secrets/issuer-certificates.ts";
import type { IssuerEpochs } from "../secrets/issuer-epochs.ts";
import type { AdminIdentity } from "./register-admin.ts";

/** What administrators are told of a gateway's start. */
export interface StatedStart {
  readonly version: string;
  /** Settings that bear on security, as text without secrets. */
  readonly settings: Readonly<Record<string, string>>;
  /** The defaults of the same settings. */
  readonly defaults: Readonly<Record<string, string>>;
}

const both = ["live", "test"] as const;

/** A start with another version or other settings than the last one. */
export function startChange({ version, settings, defaults }: StatedStart): OwnChange {
  return {
    modes: both,
    method: "GATEWAY_STARTED",
    kind: AuditKind.GATEWAY,
    fact: { name: "start", value: JSON.stringify({ version, settings }) },
    summary(before) {
      const last = before === "" ? { settings: defaults } : (JSON.parse(before) as Pick<StatedStart, "settings">);
      return `version ${version}; ${differences(last.settings, settings)}`;
    },
  };
}

/** Announced issuer keys, and those that the operator's root has revoked. */
export function issuerKeyChanges(epochs: IssuerEpochs, certificates: IssuerCertificates | undefined): OwnChange[] {
  const change = (method: string, keyId: string, summary: string): OwnChange => ({
    ...{ modes: both, method, kind: AuditKind.GATEWAY, objectId: keyId },
    fact: { name: `${method} ${keyId}`, value: "1" },
    summary: () => summary,
  });
  const revocations = certificates?.revocations ?? [];
  return [
    ...epochs.map(({ key, signsFromMs }) =>
      change("ISSUER_KEY_ANNOUNCED", key.keyId, `issuer key, signs from ${new Date(signsFromMs).toISOString()} on`),
    ),
    ...revocations.map(({ keyId }) => change("ISSUER_KEY_REVOKED", keyId, "issuer key, revoked by the operator's root key")),
  ];
}

/** The administrator whose key file the gateway was given. */
export function administratorChange({ participantId, keyId }: AdminIdentity): OwnChange {
  return {
    modes: ["live"],
    method: "ADMINISTRATOR_REGISTERED",
    kind: AuditKind.KEY,
    objectId: keyId,
    ownerId: participantId,
    fact: { name: `ADMINISTRATOR_REGISTERED ${keyId}`, value: "1" },
    summary: () => "registered, live, from the administrator's key file",
  };
}

/** Which settings differ, with their values as far as there is room. */
function differences(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
  if (names.length === 0) return "no other settings";
  const shown = (value = "") => (value === "" ? "empty" : value);
  const withValues = names.map((name) => `${name} ${shown(before[name])} -> ${shown(after[name])}`).join(", ");
  return withValues.length < 350 ? withValues : names.join(", ");
}
