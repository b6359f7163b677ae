import type { PetakClient } from "@petak/client/node";
import { ReservationState } from "@petak/protocol";
import type { IdKind } from "./id-kinds.ts";
import { type OfferedId, onlyIds } from "./offered-id.ts";

const stateNames = new Map(Object.entries(ReservationState).map(([name, state]) => [state as number, name.toLowerCase()]));

/** Ids of each kind at most. Nobody reads more, and one page has them. */
const pageSize = 200;

/**
 * The ids of some kinds that the caller most probably means: its own, and where it has no sites, the first ones of the network. A kind that it may not list is left
 * out.
 *
 * @param signal ends the calls
 */
export async function ownIds(
  client: PetakClient,
  participantId: string,
  kinds: readonly IdKind[],
  signal: AbortSignal,
): Promise<OfferedId[]> {
  const { directory, participants, reservations: service, webhooks } = client;
  const reservations = async () => (await service.listReservations({ pageSize }, { signal })).reservations;
  const sites = async (operatorIds: string[]) =>
    (await directory.listSites({ operatorIds, pageSize }, { signal })).sites.map(({ siteId, name }) => ({ id: siteId, what: name }));

  const lists: Record<IdKind, () => Promise<OfferedId[]>> = {
    async res() {
      return (await reservations()).map(({ reservationId, state, partnerReference }) => ({
        id: reservationId,
        what: `${stateNames.get(state) ?? state} ${partnerReference}`.trimEnd(),
      }));
    },
    async bdl() {
      return (await reservations()).map(({ bundleId }) => ({ id: bundleId, what: "" }));
    },
    async site() {
      const visited = reservations().then(
        (found) => found.map(({ siteId }) => ({ id: siteId, what: "" })),
        () => [],
      );
      const own = [...(await sites([participantId])), ...(await visited)];
      return own.length > 0 ? own : await sites([]);
    },
    async whe() {
      const { endpoints } = await webhooks.listEndpoints({}, { signal });
      return endpoints.map(({ endpointId, url }) => ({ id: endpointId, what: url }));
    },
    async key() {
      const { keys } = await participants.listKeys({ pageSize }, { signal });
      return keys.filter(({ revokedAt }) => revokedAt === undefined).map(({ keyId, label }) => ({ id: keyId, what: label }));
    },
    async par() {
      const own = { id: participantId, what: "" };
      const listed = await participants.listParticipants({ pageSize }, { signal }).catch(() => undefined);
      return listed?.participants.map(({ participantId: id, displayName }) => ({ id, what: displayName })) ?? [own];
    },
  };
  const found = await Promise.allSettled(kinds.map((kind) => lists[kind]()));
  const offered = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  return [
    ...new Map(
      onlyIds(offered)
        .toReversed()
        .map((one) => [one.id, one]),
    ).values(),
  ].toReversed();
}
