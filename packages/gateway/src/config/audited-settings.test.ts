import { expect, test } from "vitest";
import { auditedSettings, statedSettings } from "./audited-settings.ts";
import { loadConfig } from "./load-config.ts";
import { settings } from "./settings.ts";

/** Settings that bear on speed, memory or one machine only: no auditor asks for them. A new setting is in this list or in the other one. */
const notAudited = [
  ...["port", "workers", "dataDir", "durabilityWithinMs", "storeMaxBytes", "storeWarnPercent", "storeRefusePercent"],
  ...["readMaxBytes", "writeMaxBytes", "maxTimeoutMs", "defaultTimeoutMs", "maxConcurrentCalls", "maxConcurrentStreams"],
  ...["callerCallsGuaranteed", "callerCallsMax", "callerCallsRunning", "callerRefusalsPerSecond", "maxConnections"],
  ...["maxConnectionsPerAddress", "healthConnections", "firstCallTimeoutMs", "sniffTimeoutMs", "shutdownGraceMs", "logLevel"],
  ...["sweepIntervalMs", "agentSyncIntervalMs", "archiveIntervalMs", "openDirectoryPublisher", "openDirectorySitePage"],
  ...["otlpSamplePercent", "webhookConcurrency"],
];

test("each setting is audited, or is known to bear on nothing that auditors ask for", () => {
  expect([...auditedSettings, ...notAudited].sort()).toEqual(settings.map(({ name }) => name).sort());
});

test("neither passwords nor paths are stated", () => {
  const config = loadConfig({
    flags: {
      redisUrl: "redis://user:secret@store",
      tlsCert: "/etc/secret.pem",
      tlsKey: "/etc/secret.key",
    },
  });
  const stated = statedSettings({ ...config, reflection: true });
  expect(stated).toMatchObject({
    redisUrl: "set",
    tlsCert: "set",
    tlsKey: "set",

    tlsClientCa: "",
    reflection: "true",
  });
  expect(JSON.stringify(stated)).not.toContain("secret");
});
