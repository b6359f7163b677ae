import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Allowance, type CourierKey, CourierKeySchema, Mode, type ModeName } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";

export interface CourierKeysDependencies {
  participants: Pick<ParticipantStore, "keysOf">;
  now: () => number;
}

/** Keys that are looked at for each participant. */
const keysRead = 100;

/** Keys of a participant that an agent gets: the newest. */
const keysMax = 20;

/** The participants' own keys in force of those who have allowances, by which its agent verifies drivers' certificates. */
export async function courierKeysOf(
  { participants, now }: CourierKeysDependencies,
  allowances: readonly Allowance[],
  mode: ModeName,
): Promise<CourierKey[]> {
  const participantIds = [...new Set(allowances.map(({ participantId }) => participantId))].sort();
  const wanted = mode === "live" ? Mode.LIVE : Mode.TEST;
  const found = await Promise.all(
    participantIds.map(async (courierId) => {
      const { keys } = await participants.keysOf(courierId, undefined, keysRead, now());
      const inForce = keys.filter(
        ({ mode: network, siteId, revokedAt }) =>
          network === wanted && siteId === "" && (revokedAt === undefined || timestampMs(revokedAt) > now()),
      );
      return inForce.slice(0, keysMax).map(({ keyId, publicKey }) => create(CourierKeySchema, { courierId, keyId, publicKey }));
    }),
  );
  return found.flat();
}
