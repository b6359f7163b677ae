import type { ServiceImpl } from "@connectrpc/connect";
import { type ParticipantService, Role } from "@petak/protocol";
import type { AgentLeases, Enrolments, OperatorLinksStore, ParticipantEvents, ParticipantStore, PinKeys, Records } from "@petak/records";
import type { CachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import { requireParticipant } from "../../identity/index.ts";
import { noteChange, noteUnchanged } from "../audit/audited.ts";
import { createEnrolmentCode } from "../enrolment/create-enrolment-code.ts";
import { listEnrolments } from "../enrolment/list-enrolments.ts";
import { listReportsKeptApart } from "../enrolment/list-reports-kept-apart.ts";
import type { PinRotation } from "../enrolment/pin-rotation.ts";
import { revokeEnrolment } from "../enrolment/revoke-enrolment.ts";
import { rotatePins } from "../enrolment/rotate-pins.ts";
import { takeOverSite } from "../enrolment/take-over-site.ts";
import { createParticipant } from "./create-participant.ts";
import { createPublishableKey } from "./create-publishable-key.ts";
import { getLimits } from "./get-limits.ts";
import { getParticipant } from "./get-participant.ts";
import type { LimitSource } from "./limit-source.ts";
import { listKeys } from "./list-keys.ts";
import { listParticipants } from "./list-participants.ts";
import { registerKey } from "./register-key.ts";
import { revokeKey } from "./revoke-key.ts";
import { setOperatorLinks } from "./set-operator-links.ts";
import { setParticipantLimits } from "./set-participant-limits.ts";

export interface ParticipantDependencies {
  records: Pick<Records, "sites" | "requestIds" | "siteIds" | "reportsApart">;
  participants: ParticipantStore;
  participantEvents: ParticipantEvents;
  keyDirectory: CachedKeyDirectory;
  limitSources: readonly LimitSource[];
  enrolments: Enrolments;
  /** The secret of the gateways from which enrolment codes are derived: 32 bytes. */
  derivationKey: Uint8Array;
  /** The gateway's audience, which possession proofs name. */
  audience: string;
  operatorLinks: OperatorLinksStore;
  pinRotation: Pick<PinRotation, "rotate">;
  pinKeys: Pick<PinKeys, "mayKnow">;
  leases: Pick<AgentLeases, "letGoOn">;
  now: () => number;
}

const operators = { roles: [Role.OPERATOR] };
const admins = { roles: [Role.ADMIN] };
const linkSetters = { roles: [Role.OPERATOR, Role.ADMIN] };

/** Creates the participant service: for each call its handler, and the roles that may make it. */
export function createParticipantService({ records, ...rest }: ParticipantDependencies): ServiceImpl<typeof ParticipantService> {
  const { sites, requestIds, siteIds, reportsApart } = records;
  const dependencies = { ...rest, sites, requestIds, reportsApart, storeCode: siteIds.storeCode };
  return {
    createParticipant: (request, context) => createParticipant(dependencies, request, requireParticipant(context, admins)),
    getParticipant: (request, context) => getParticipant(dependencies, request, requireParticipant(context)),
    listParticipants: (request, context) => listParticipants(dependencies, request, requireParticipant(context, admins)),
    registerKey: (request, context) => registerKey(dependencies, request, requireParticipant(context)),
    listKeys: (request, context) => listKeys(dependencies, request, requireParticipant(context)),
    revokeKey: (request, context) =>
      revokeKey(dependencies, request, requireParticipant(context), noteChange(context), noteUnchanged(context)),
    createEnrolmentCode: (request, context) => createEnrolmentCode(dependencies, request, requireParticipant(context, operators)),
    listEnrolments: (request, context) => listEnrolments(dependencies, request, requireParticipant(context, operators)),
    revokeEnrolment: (request, context) =>
      revokeEnrolment(dependencies, request, requireParticipant(context, operators), noteUnchanged(context)),
    takeOverSite: (request, context) => takeOverSite(dependencies, request, requireParticipant(context, operators), noteChange(context)),
    listReportsKeptApart: (request, context) => listReportsKeptApart(dependencies, request, requireParticipant(context, operators)),
    rotatePins: (request, context) => rotatePins(dependencies, request, requireParticipant(context, operators), noteChange(context)),
    createPublishableKey: (request, context) => createPublishableKey(dependencies, request, requireParticipant(context)),
    setOperatorLinks: (request, context) =>
      setOperatorLinks(dependencies, request, requireParticipant(context, linkSetters), noteUnchanged(context)),
    getLimits: (request, context) => getLimits(dependencies, request, requireParticipant(context)),
    setParticipantLimits: (request, context) =>
      setParticipantLimits(dependencies, request, requireParticipant(context, admins), noteUnchanged(context)),
  };
}
