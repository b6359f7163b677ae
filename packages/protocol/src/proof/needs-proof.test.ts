import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import * as protocol from "../index.ts";
import {
  Act,
  BatchRequestSchema,
  DirectoryService,
  IssueCredentialRequestSchema,
  LiveReservations,
  mayNeedProof,
  needsProof,
  ReservationService,
  SiteLifecycle,
  UpsertSitesRequestSchema,
  wantsProof,
} from "../index.ts";

const services = [
  protocol.AgentService,
  protocol.AuditService,
  protocol.CommandService,
  protocol.CustodyService,
  protocol.DirectoryService,
  protocol.ParticipantService,
  protocol.ReservationService,
  protocol.WebhookService,
];
const methods = services.flatMap((service) => service.methods);

const { issueCredential, batch } = ReservationService.method;
const { upsertSites } = DirectoryService.method;

describe("a proof", () => {
  it("is needed for every call of a method whose effects outlive a token", () => {
    const always = methods.filter((method) => mayNeedProof(method) && needsProof(method, create(method.input)));
    expect(always.map(({ name }) => name).sort()).toEqual([
      "AllowCommandKey",
      "ApproveCommand",
      "CreateEndpoint",
      "CreateEnrolmentCode",
      "CreateParticipant",
      "CreatePublishableKey",
      "DeleteEndpoint",
      "RegisterKey",
      "RetireSites",
      "RevokeEnrolment",
      "RevokeKey",
      "RotateEndpointKey",
      "RotatePins",
      "SendCommand",
      "SetDefaultTerms",
      "SetOperatorLinks",
      "SetParticipantLimits",
      "TakeOverSite",
      "UpdateEndpoint",
    ]);
  });

  it("is needed for some calls of other methods, and for none that only reads", () => {
    const sometimes = methods.filter((method) => mayNeedProof(method) && !needsProof(method, create(method.input)));
    expect(sometimes.map(({ name }) => name).sort()).toEqual(["Batch", "IssueCredential", "UpsertSites"]);
    expect(methods.filter(({ name }) => /^(Get|List|Find|Watch)/.test(name)).some(mayNeedProof)).toBe(false);
  });

  it("is needed for unary calls only, since it covers one message", () => {
    expect(methods.filter(mayNeedProof).filter(({ methodKind }) => methodKind !== "unary")).toEqual([]);
  });

  it("is needed for no call whose effects end with what it is about", () => {
    const { NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;
    const others = methods.filter((method) => method.idempotency !== NO_SIDE_EFFECTS && !mayNeedProof(method));
    expect(others.map(({ name }) => name).sort()).toEqual([
      "Boot",
      "Cancel",
      "Confirm",
      "CorrectEvents",
      "CountersignReceipt",
      "DelegateCredential",
      "Enrol",
      "Extend",
      "IssueBundleCredential",
      "PutBundle",
      "Redirect",
      "ReplayEvents",
      "ReportCapacity",
      "ReportEvents",
      "Reserve",
      "ResolveDoubt",
      "RevokeCredential",
      "TestEndpoint",
    ]);
  });

  it("is needed to issue a credential for RECALL or SERVICE, alone or in a batch", () => {
    const needs = (init: MessageInitShape<typeof IssueCredentialRequestSchema>) =>
      needsProof(issueCredential, create(IssueCredentialRequestSchema, init));
    expect([Act.DEPOSIT, Act.COLLECT, Act.RECALL, Act.SERVICE].map((act) => needs({ act }))).toEqual([false, false, true, true]);
    const batchOf = (...acts: Act[]) => {
      const issuing = acts.map((act) => ({ call: { case: "issueCredential", value: { act } } }) as const);
      const confirming = { call: { case: "confirm", value: { reservationId: "r" } } } as const;
      return needsProof(batch, create(BatchRequestSchema, { calls: [confirming, ...issuing] }));
    };
    expect([batchOf(), batchOf(Act.DEPOSIT, Act.COLLECT), batchOf(Act.COLLECT, Act.SERVICE)]).toEqual([false, false, true]);
  });

  it("is needed to put sites of which one has terms", () => {
    const needs = (...sites: object[]) => needsProof(upsertSites, create(UpsertSitesRequestSchema, { sites }));
    expect([needs(), needs({}), needs({}, { terms: {} })]).toEqual([false, false, true]);
  });

  it("comes with every call that puts sites, since what is stored may need one, and else with those that need one", () => {
    const wanting = methods.filter((method) => wantsProof(method, create(method.input)) && !needsProof(method, create(method.input)));
    expect(wanting.map(({ name }) => name)).toEqual(["UpsertSites"]);
    const issuing = (act: Act) => wantsProof(issueCredential, create(IssueCredentialRequestSchema, { act }));
    expect([Act.COLLECT, Act.SERVICE].map(issuing)).toEqual([false, true]);
  });

  it("is needed to retire sites, or to say what happens to their live reservations, by putting them", () => {
    const needs = (init: MessageInitShape<typeof UpsertSitesRequestSchema>) =>
      needsProof(upsertSites, create(UpsertSitesRequestSchema, init));
    const withLifecycle = (lifecycle: SiteLifecycle) => needs({ sites: [{ lifecycle }] });
    expect([SiteLifecycle.MAINTENANCE, SiteLifecycle.DECOMMISSIONED].map(withLifecycle)).toEqual([false, true]);
    const withPolicy = (liveReservations: LiveReservations) => needs({ sites: [{}], liveReservations });
    expect([LiveReservations.REFUSE, LiveReservations.DRAIN, LiveReservations.CANCEL].map(withPolicy)).toEqual([false, true, true]);
  });
});
