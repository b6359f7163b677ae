import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { type Device, fenceBytes, obstacleOf, type ReportObstacle } from "../sites/device-report.ts";

/** How far the reports of devices are recorded, where device and store disagree. */
export interface DeviceReports {
  /** Compares the hash of a device's last report with what is recorded under its number. `same` also where nothing is known of that. */
  compareLast(device: Device, last: { sequence: number; hash: Uint8Array }): Promise<ReportObstacle | { tag: "same" }>;
  /**
   * Continues after reports that are not recorded and that the device has deleted. `stale`: another number is recorded by now, the reports have forked, or another agent has taken its place.
   *
   * @param skipped the last recorded number, that of the last deleted report, and the hash of that
   */
  skip(device: Device, skipped: { after: number; to: number; hash: Uint8Array }): Promise<"done" | "stale">;
}

const compareScript = createScript("compare-last-report");
const skipScript = createScript("skip-reports");

/** Keeps it in Redis, see lua/includes/report-watermark.lua. */
export function createDeviceReports(redis: RedisConnection, keys: Keys, siteIds: SiteIds): DeviceReports {
  const watermarkOf = ({ siteId, keyId }: Device) => {
    const { region, siteNumber } = siteIds.require(siteId);
    return keys.agentWatermark(region, siteNumber, keyId);
  };
  return {
    async compareLast(device, { sequence, hash }) {
      const [tag, watermark] = await compareScript(redis, [watermarkOf(device)], [sequence, Buffer.from(hash), fenceBytes(device.fence)]);
      return obstacleOf(tag, watermark) ?? { tag: "same" };
    },
    async skip(device, { after, to, hash }) {
      const [tag] = await skipScript(redis, [watermarkOf(device)], [after, to, Buffer.from(hash), fenceBytes(device.fence)]);
      return String(tag) as "done" | "stale";
    },
  };
}
