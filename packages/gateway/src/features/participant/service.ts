import type { ServiceImpl } from "@connectrpc/connect";
import { type ParticipantService, Role } from "@petak/protocol";
import type { ParticipantStore, Records } from "@petak/records";
import type { CachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import { requireParticipant } from "../../identity/index.ts";
import { createParticipant } from "./create-participant.ts";
import { createPublishableKey } from "./create-publishable-key.ts";
import { getParticipant } from "./get-participant.ts";
import { listKeys } from "./list-keys.ts";
import { listParticipants } from "./list-participants.ts";
import { registerKey } from "./register-key.ts";
import { revokeKey } from "./revoke-key.ts";

export interface ParticipantDependencies {
  records: Pick<Records, "sites" | "requestIds" | "siteIds">;
  participants: ParticipantStore;
  keyDirectory: CachedKeyDirectory;
  now: () => number;
}

const admins = { roles: [Role.ADMIN] };

/** Creates the participant service: for each call its handler, and the roles that may make it. */
export function createParticipantService({ records, ...rest }: ParticipantDependencies): ServiceImpl<typeof ParticipantService> {
  const { sites, requestIds, siteIds } = records;
  const dependencies = { ...rest, sites, requestIds, storeCode: siteIds.storeCode };
  return {
    createParticipant: (request, context) => createParticipant(dependencies, request, requireParticipant(context, admins)),
    getParticipant: (request, context) => getParticipant(dependencies, request, requireParticipant(context)),
    listParticipants: (request, context) => listParticipants(dependencies, request, requireParticipant(context, admins)),
    registerKey: (request, context) => registerKey(dependencies, request, requireParticipant(context)),
    listKeys: (request, context) => listKeys(dependencies, request, requireParticipant(context)),
    revokeKey: (request, context) => revokeKey(dependencies, request, requireParticipant(context)),
    createPublishableKey: (request, context) => createPublishableKey(dependencies, request, requireParticipant(context)),
  };
}
