import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair, reportChainStart, reportClaims, reportHash, reportText } from "@petak/credential";
import { type DeviceEvent, DeviceEventSchema, DeviceEventType } from "@petak/protocol";

/** Makes the reports of devices that share one key pair. */
export async function createReportSigner() {
  const { publicKey, privateJwk } = await generateKeyPair();
  const signingKey = createPrivateKey({ key: { ...privateJwk }, format: "jwk" });
  return {
    publicKey,
    /** Chained reports of an agent, after one with a number and a hash. @param atMs when each happened */
    async chain(
      { keyId, siteId }: { keyId: string; siteId: string },
      count: number,
      atMs: number,
      after = { sequence: 0, hash: reportChainStart },
    ): Promise<DeviceEvent[]> {
      let previousHash = new Uint8Array(after.hash);
      const reports: DeviceEvent[] = [];
      for (let number = 1; number <= count; number += 1) {
        const report = create(DeviceEventSchema, {
          ...{ sequence: BigInt(after.sequence + number), deviceEventId: randomUUID(), type: DeviceEventType.DOOR_CLOSED, previousHash },
          occurredAt: timestampFromMs(atMs),
        });
        const signature = new Uint8Array(sign(null, Buffer.from(reportText(keyId, reportClaims(siteId, report))), signingKey));
        reports.push({ ...report, signature });
        previousHash = new Uint8Array(await reportHash(keyId, siteId, report));
      }
      return reports;
    },
  };
}
