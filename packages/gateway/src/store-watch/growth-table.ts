/**
 * What happens to a call while the store is nearly full:
 *
 * - `refused`: it makes something that stays, or starts work that adds to it.
 * - `if_new`: its handler refuses what would be new, and lets changes of what exists through.
 * - `kept`: it reads, ends something, or completes what exists. The room above the limit is for these.
 */
export type WhenNearlyFull = "refused" | "if_new" | "kept";

/**
 * {@link WhenNearlyFull} of each RPC. A new RPC needs an entry. Kept are above all revocations, agents' reports, cancellations, and what a parcel needs to
 * come out of its compartment.
 */
export const growthTable: Readonly<Record<string, WhenNearlyFull>> = {
  // The code was refused if there was no room for what it leads to, and a device may have to be replaced.
  "petak.v1.AgentService/Enrol": "kept",
  "petak.v1.AgentService/Boot": "kept",
  "petak.v1.AgentService/Sync": "kept",
  "petak.v1.AgentService/ResolveCode": "kept",
  "petak.v1.AgentService/WatchCommands": "kept",
  "petak.v1.AgentService/ReportEvents": "kept",
  "petak.v1.AuditService/ListAuditEntries": "kept",
  // Each is known for a week, and a door may have to be opened.
  "petak.v1.CommandService/SendCommand": "kept",
  "petak.v1.CommandService/ApproveCommand": "kept",
  "petak.v1.CommandService/GetCommand": "kept",
  "petak.v1.CommandService/ListCommands": "kept",
  "petak.v1.CommandService/AllowCommandKey": "refused",
  "petak.v1.CommandService/ListCommandKeys": "kept",
  "petak.v1.CustodyService/ListEvents": "kept",
  "petak.v1.CustodyService/WatchEvents": "kept",
  "petak.v1.CustodyService/GetCustodyChain": "kept",
  "petak.v1.CustodyService/CorrectEvents": "kept",
  "petak.v1.CustodyService/CountersignReceipt": "kept",
  "petak.v1.DirectoryService/FindNearest": "kept",
  "petak.v1.DirectoryService/GetSite": "kept",
  "petak.v1.DirectoryService/ListSites": "kept",
  "petak.v1.DirectoryService/GetOperator": "kept",
  "petak.v1.DirectoryService/GetAvailability": "kept",
  "petak.v1.DirectoryService/CheckFit": "kept",
  // A site that exists may have to be paused.
  "petak.v1.DirectoryService/UpsertSites": "if_new",
  "petak.v1.DirectoryService/SetDefaultTerms": "refused",
  "petak.v1.DirectoryService/ReportCapacity": "kept",
  "petak.v1.DirectoryService/RetireSites": "kept",
  "petak.v1.ParticipantService/CreateParticipant": "refused",
  "petak.v1.ParticipantService/GetParticipant": "kept",
  "petak.v1.ParticipantService/ListParticipants": "kept",
  "petak.v1.ParticipantService/RegisterKey": "refused",
  "petak.v1.ParticipantService/ListKeys": "kept",
  "petak.v1.ParticipantService/GetLimits": "kept",
  "petak.v1.ParticipantService/SetOperatorLinks": "refused",
  "petak.v1.ParticipantService/SetParticipantLimits": "kept",
  "petak.v1.ParticipantService/RevokeKey": "kept",
  "petak.v1.ParticipantService/CreateEnrolmentCode": "refused",
  "petak.v1.ParticipantService/ListEnrolments": "kept",
  "petak.v1.ParticipantService/RevokeEnrolment": "kept",
  "petak.v1.ParticipantService/TakeOverSite": "kept",
  "petak.v1.ParticipantService/RotatePins": "kept",
  "petak.v1.ParticipantService/ListReportsKeptApart": "kept",
  "petak.v1.ParticipantService/CreatePublishableKey": "refused",
  "petak.v1.ReservationService/Reserve": "refused",
  "petak.v1.ReservationService/Confirm": "kept",
  "petak.v1.ReservationService/Extend": "kept",
  "petak.v1.ReservationService/Cancel": "kept",
  // Makes a second reservation.
  "petak.v1.ReservationService/Redirect": "refused",
  "petak.v1.ReservationService/ResolveDoubt": "kept",
  "petak.v1.ReservationService/GetReservation": "kept",
  "petak.v1.ReservationService/ListReservations": "kept",
  // Each of its calls counts as if it had been sent alone.
  "petak.v1.ReservationService/Batch": "if_new",
  "petak.v1.ReservationService/IssueCredential": "kept",
  "petak.v1.ReservationService/DelegateCredential": "kept",
  "petak.v1.ReservationService/RevokeCredential": "kept",
  "petak.v1.ReservationService/PutBundle": "refused",
  "petak.v1.ReservationService/GetBundle": "kept",
  "petak.v1.ReservationService/IssueBundleCredential": "kept",
  "petak.v1.ReservationService/GetManifest": "kept",
  "petak.v1.SandboxService/ListSandboxSites": "kept",
  // Its agent reports as any agent does.
  "petak.v1.SandboxService/VisitSandboxSite": "kept",
  "petak.v1.TestClockService/GetTestClock": "kept",
  "petak.v1.TestClockService/MoveTestClock": "kept",
  "petak.v1.WebhookService/CreateEndpoint": "refused",
  "petak.v1.WebhookService/ListEndpoints": "kept",
  "petak.v1.WebhookService/GetEndpoint": "kept",
  "petak.v1.WebhookService/UpdateEndpoint": "kept",
  "petak.v1.WebhookService/RotateEndpointKey": "kept",
  "petak.v1.WebhookService/TestEndpoint": "kept",
  "petak.v1.WebhookService/ReplayEvents": "refused",
  "petak.v1.WebhookService/DeleteEndpoint": "kept",
};
