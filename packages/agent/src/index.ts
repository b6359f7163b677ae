/** The process at a site: offline decisions at the door, and reports to the gateway. */
export { type Agent, type AgentOptions, createAgent } from "./agent.ts";
export { type Cabinet, type CabinetCompartment, type DoorState, LockUncertainError, type Occupancy } from "./cabinet/cabinet.ts";
export { type Decision, decide, type Opening, type Refusal } from "./decision/decide.ts";
export type { Intake, WantedIntake } from "./decision/intake-rules.ts";
export { type LockOut, noLockOut } from "./decision/lock-out.ts";
export { type DoorRefusal, doorRefusals, type PersonRefusal } from "./decision/refusals.ts";
export type { CompartmentRecord, Condition, Credential, DoorSnapshot, TokenShown, Visit } from "./decision/snapshot.ts";
export type { Challenge } from "./door/challenges.ts";
export type { CommandFact } from "./door/commands.ts";
export type { Presentation } from "./door/door.ts";
export type { ReportKey } from "./door/report-signer.ts";
export type { AgentLogger } from "./logger.ts";
export { type AgentStore, openAgentStore } from "./store/agent-store.ts";
export { AgentStoreError } from "./store/open-database.ts";
export type { LastReport, Outbox, Report, ReportSigner } from "./store/outbox.ts";
export { type FollowTestClockOptions, followTestClock, NoTestClockError, type TestClockFollower } from "./test-clock.ts";
export { type After, afterByTimer } from "./timer.ts";
