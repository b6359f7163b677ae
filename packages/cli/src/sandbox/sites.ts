import { SiteKind, SiteLifecycle } from "@petak/protocol";
import { SandboxBehaviour } from "@petak/protocol/sandbox";
import type { SiteInit } from "../demo/network.ts";
import { namedMix } from "../places/compartment-mix.ts";

/** A site of the sandbox, as its operator writes it. */
export interface SandboxSiteFacts {
  readonly behaviour: SandboxBehaviour;
  /** The same at every gateway. */
  readonly ref: string;
  /** Where it differs from the plain site. */
  readonly facts?: Pick<SiteInit, "lifecycle" | "terms">;
}

/** Short, since everybody uses the same places. */
const terms = { freeStorage: { seconds: 3600n }, longestStorage: { seconds: 86_400n }, noShowAfter: { seconds: 3600n } };

/** The sites of the sandbox, one for each behaviour. */
export const sandboxSites: readonly SandboxSiteFacts[] = [
  { behaviour: SandboxBehaviour.PLAIN, ref: "sandbox-plain" },
  { behaviour: SandboxBehaviour.FULL, ref: "sandbox-full" },
  { behaviour: SandboxBehaviour.CLOSED, ref: "sandbox-closed", facts: { lifecycle: SiteLifecycle.MAINTENANCE } },
  { behaviour: SandboxBehaviour.JAMMED, ref: "sandbox-jammed" },
  { behaviour: SandboxBehaviour.SLOW, ref: "sandbox-slow" },
  // The deposit is due before the terminal reaches its gateway again.
  { behaviour: SandboxBehaviour.OFFLINE, ref: "sandbox-offline", facts: { terms: { ...terms, noShowAfter: { seconds: 60n } } } },
  { behaviour: SandboxBehaviour.IN_DOUBT, ref: "sandbox-in-doubt" },
  { behaviour: SandboxBehaviour.OVERDUE, ref: "sandbox-overdue", facts: { terms: { ...terms, freeStorage: { seconds: 60n } } } },
  { behaviour: SandboxBehaviour.RETIRED, ref: "sandbox-retired" },
];

/**
 * Where the sites are: in the Indian Ocean, on the equator, so that no search for real or demonstration sites finds them. Each is a kilometre from the next, in an
 * index cell of its own.
 */
const west = { latitude: 0, longitude: 90 };

/** A site in UpsertSites. */
export function siteInit({ behaviour, ref, facts }: SandboxSiteFacts): SiteInit {
  return {
    operatorSiteRef: ref,
    kind: SiteKind.PARCEL_TERMINAL,
    name: `Petak ${ref.replace("-", " · ").replaceAll("-", " ")}`,
    position: { latitude: west.latitude, longitude: west.longitude + behaviour / 100 },
    // The code for international waters.
    address: { countryCode: "XZ", locality: "Indian Ocean", lines: ["A fictitious place for tests"] },
    timeZone: "Etc/UTC",
    openingHours: { alwaysOpen: true },
    access: { entranceHint: "There is nothing here: the site is for tests of integrations.", stepFree: true },
    equipment: { screen: true, pinPad: true, scanner: true },
    ...namedMix("large"),
    lifecycle: SiteLifecycle.ACTIVE,
    isTest: true,
    terms,
    ...facts,
  };
}
