import { crc32 } from "node:zlib";
import { AllowanceSchema, BundleAllowanceSchema, type SyncRequest, type SyncResponse } from "@petak/protocol";
import type { AllowedVersion } from "@petak/records";

/**
 * Factor of the trust bundle's version in the version of an agent's state. The rest counts changes of the allowances and is less than this. So agents
 * get new issuer keys also at sites where nothing else changes.
 */
const allowedVersions = 2n ** 28n;

/** Differs in a release that gives other fields, so that its agents get those of everything at once, and not only of what changes. */
const fieldsTag = crc32([AllowanceSchema, BundleAllowanceSchema].flatMap(({ fields }) => fields.map(({ name }) => name)).join(" "));

/** The version that an agent is given. @param bundleVersion that of the trust bundle */
export function versionOf(bundleVersion: number, { number, tag }: AllowedVersion): Pick<SyncResponse, "version" | "versionTag"> {
  return { version: BigInt(bundleVersion) * allowedVersions + BigInt(number + 1), versionTag: tag === 0 ? 0 : mixed(tag) };
}

/** The version of its allowances that an agent has. */
export function knownVersionOf({ knownVersion, knownVersionTag }: SyncRequest): AllowedVersion {
  return { number: Number(knownVersion % allowedVersions) - 1, tag: knownVersionTag === 0 ? 0 : mixed(knownVersionTag) };
}

/** Its own inverse. */
function mixed(tag: number): number {
  return (tag ^ fieldsTag) >>> 0;
}
