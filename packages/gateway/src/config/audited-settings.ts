import type { Setting } from "./setting.ts";
import { type Config, settings } from "./settings.ts";

/** Settings whose changes are recorded for auditors: who may connect, what is believed, kept, published or allowed. */
export const auditedSettings: readonly (keyof Config)[] = [
  ...(["host", "management", "reflection", "tlsCert", "tlsKey", "tlsClientCa", "trustedProxies", "forwardedHeader"] as const),
  ...(["redisUrl", "durability", "durabilityCheck", "durabilityReplicas", "durabilityOn", "audience", "adminKeyFile"] as const),
  ...([
    "failedAuthenticationsMax",
    "holdDefaultMs",
    "holdMaxMs",
    "holdsSiteMin",
    "holdsSitePercent",
    "holdsRegionMax",
    "holdsAllMax",
  ] as const),
  ...([
    "queueSiteMax",
    "queueShareMax",
    "queueRegionShareMax",
    "participantsMax",
    "keysMax",
    "agentKeysMax",
    "publishableKeysMax",
  ] as const),
  ...(["sitesMax", "cellSitesMax", "sizeProfilesMax", "openingTimesMax", "termsMax", "reservationEventsMax", "auditEntriesMax"] as const),
  ...(["commandsKeyMinuteMax", "commandDoorsKeyMinuteMax", "commandDoorsSiteHourMax", "commandDoorsOperatorHourMax"] as const),
  ...(["depositDefaultMs", "collectWithinMs", "storageMaxMs", "archiveDir", "retentionMs", "openDirectoryLicence"] as const),
  ...(["openDirectoryLeavesOut", "webhookAllowedNetworks", "webhookAllowHttp", "otlpEndpoint", "testClock", "sandbox"] as const),
];

/** The audited settings of a configuration as text. Of secrets and files it says only that they are set. */
export function statedSettings(config: Config): Record<string, string> {
  return Object.fromEntries(auditedSettings.map((name) => [name, stated(name, String(config[name]))]));
}

function stated(name: keyof Config, value: string): string {
  const setting = (settings as readonly Setting[]).find((one) => one.name === name);
  const isHidden = setting?.secret === true || setting?.type.kind === "path";
  return isHidden && value !== "" ? "set" : value;
}
