import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type CommandKeys, CommandKeysSchema, type CommandType } from "@petak/protocol";
import type { Facts } from "./values.ts";

/** A command that the agent has begun. */
export interface BegunCommand {
  readonly commandId: string;
  readonly type: CommandType;
  /** The compartment. Empty: the whole site. */
  readonly compartmentId: string;
}

/** What an agent keeps of commands. A command that was begun is never begun again. */
export interface CommandRecords {
  isKnown(commandId: string): boolean;
  /** Spends a command, before anything is done. Throws if it is known. @param deadlineMs until when it could be obeyed */
  begin(command: BegunCommand, times: { deadlineMs: number; nowMs: number }): void;
  /** Records that the outcome of a command is reported. */
  finish(commandId: string): void;
  /** Commands that were begun and have no outcome: the power failed. */
  unfinished(): BegunCommand[];
  /** How many commands of a type were begun since a time. */
  countSince(type: CommandType, sinceMs: number): number;
  /** Deletes commands that ended before a time, which must certainly have passed. */
  forget(endedBeforeMs: number): void;
  /** The keys that may sign commands. Undefined: none was ever received with this key of the agent. */
  keys(agentKeyId: string): CommandKeys | undefined;
  saveKeys(agentKeyId: string, keys: CommandKeys): void;
  /** The compartments that a command took out of service; an empty id stands for the whole site. */
  outOfService(): ReadonlySet<string>;
  setOutOfService(compartmentId: string, isOut: boolean): void;
}

/** Makes the records of a store. */
export function createCommandRecords(database: DatabaseSync, facts: Facts): CommandRecords {
  const sql = {
    isKnown: database.prepare("SELECT 1 FROM command WHERE command_id = ?"),
    begin: database.prepare(
      "INSERT INTO command (command_id, type, compartment_id, deadline_ms, begun_at_ms, is_finished) VALUES (?, ?, ?, ?, ?, 0)",
    ),
    finish: database.prepare("UPDATE command SET is_finished = 1 WHERE command_id = ?"),
    unfinished: database.prepare(
      "SELECT command_id AS commandId, type, compartment_id AS compartmentId FROM command WHERE is_finished = 0 ORDER BY begun_at_ms",
    ),
    count: database.prepare("SELECT COUNT(*) AS count FROM command WHERE type = ? AND begun_at_ms > ?"),
    forget: database.prepare("DELETE FROM command WHERE deadline_ms < ? AND is_finished = 1"),
    outOfService: database.prepare("SELECT compartment_id AS compartmentId FROM out_of_service"),
    takeOut: database.prepare("INSERT OR IGNORE INTO out_of_service (compartment_id) VALUES (?)"),
    putBack: database.prepare("DELETE FROM out_of_service WHERE compartment_id = ?"),
  };
  return {
    isKnown: (commandId) => sql.isKnown.get(commandId) !== undefined,
    begin({ commandId, type, compartmentId }, { deadlineMs, nowMs }) {
      sql.begin.run(commandId, type, compartmentId, Math.ceil(deadlineMs), Math.floor(nowMs));
    },
    finish(commandId) {
      sql.finish.run(commandId);
    },
    unfinished: () => sql.unfinished.all() as unknown as BegunCommand[],
    countSince: (type, sinceMs) => (sql.count.get(type, Math.floor(sinceMs)) as { count: number }).count,
    forget(endedBeforeMs) {
      sql.forget.run(Math.floor(endedBeforeMs));
    },
    keys(agentKeyId) {
      const bytes = facts.readText("command_keys_of") === agentKeyId ? facts.read("command_keys") : undefined;
      return bytes === undefined ? undefined : fromBinary(CommandKeysSchema, bytes);
    },
    saveKeys(agentKeyId, keys) {
      facts.writeText("command_keys_of", agentKeyId);
      facts.write("command_keys", toBinary(CommandKeysSchema, keys));
    },
    outOfService: () => new Set((sql.outOfService.all() as { compartmentId: string }[]).map(({ compartmentId }) => compartmentId)),
    setOutOfService(compartmentId, isOut) {
      (isOut ? sql.takeOut : sql.putBack).run(compartmentId);
    },
  };
}
