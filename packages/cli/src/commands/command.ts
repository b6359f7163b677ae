import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CommandType, GetCommandResponseSchema, ListCommandKeysResponseSchema, ListCommandsResponseSchema } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { allowKey } from "../device-commands/allow-key.ts";
import { printCommand, stateName, typeName } from "../device-commands/describe.ts";
import { followCommand } from "../device-commands/follow.ts";
import { approve, send } from "../device-commands/sign.ts";
import { idOf } from "./id-argument.ts";

interface SendOptions {
  reason: string;
  wait: boolean;
  secondKey?: boolean;
}

/** What each subcommand sends. */
const sending = [
  {
    name: "open",
    type: CommandType.OPEN_FOR_SERVICE,
    door: "required",
    what: "open a compartment for service; with a parcel behind it, a second key must approve",
  },
  {
    name: "out-of-service",
    type: CommandType.TAKE_OUT_OF_SERVICE,
    door: "optional",
    what: "let no deposits into a compartment, or at the whole site",
  },
  {
    name: "in-service",
    type: CommandType.PUT_INTO_SERVICE,
    door: "optional",
    what: "end out-of-service of a compartment, or of the whole site",
  },
  { name: "sync", type: CommandType.SYNC_NOW, door: "none", what: "make the device ask its gateway what has changed" },
  { name: "restart", type: CommandType.RESTART, door: "none", what: "start the device's program again" },
  { name: "logs", type: CommandType.COLLECT_LOGS, door: "none", what: "show the latest lines of the device's log" },
] as const;

const examples = `
Examples:
  petak --key ops.json command allow-key --label "help desk"          once: this key may sign commands
  petak --key ops.json command allow-key key_live_… --label "field"   a second key, for doors with a parcel
  petak --key ops.json command open site_… A07 --reason "door stuck, ticket 118"
  petak --key field.json command approve cmd_…
  petak --key ops.json command logs site_… --reason "offline since noon"

Exit codes: 0 done; 1 refused, failed, timed out or unknown; 2 usage; 3 no gateway.`;

/** `petak command`: for operators, what their devices are told to do. */
export const registerCommand: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  for (const { name, type, door, what } of sending) {
    const one = command.command(name).description(what).argument("<site>", "site_…", idOf("site"));
    if (door !== "none") one.argument(door === "required" ? "<compartment>" : "[compartment]", "the name of the compartment, e.g. A07");
    one.requiredOption("--reason <text>", "why, for people who read the record later; at most 200 characters");
    if (door === "required") one.option("--second-key", "wait for a second key even if the gateway knows of no parcel");
    one.option("--no-wait", "return when the gateway has accepted the command");
    one.action(async (siteId: string, ...rest: unknown[]) => {
      const running = rest.at(-1) as Command;
      const { reason, wait, secondKey = false } = rest.at(-2) as SendOptions;
      const compartmentId = typeof rest[0] === "string" ? rest[0] : "";
      const session = context.session(running);
      const connection = await session.connect();
      const sent = await send(connection, { siteId, type, compartmentId, reason, awaitSecondKey: secondKey, nowMs: session.io.now() });
      await followCommand(session, connection.client, sent, wait);
    });
  }

  command
    .command("approve")
    .description("approve a command that awaits a second key, with another key than the one that sent it")
    .argument("<command>", "cmd_…")
    .option("--no-wait", "return when the gateway has accepted it")
    .action(async (commandId: string, { wait }: { wait: boolean }, running: Command) => {
      const session = context.session(running);
      const connection = await session.connect();
      const approved = await approve(connection, commandId, session.io.now());
      await followCommand(session, connection.client, approved, wait);
    });

  command
    .command("show")
    .description("show a command and what became of it")
    .argument("<command>", "cmd_…")
    .action(async (commandId: string, _options: object, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const response = await client.commands.getCommand({ commandId });
      session.output.json(toJson(GetCommandResponseSchema, response) as object);
      if (response.command !== undefined) printCommand(session.output, response.command);
    });

  command
    .command("list")
    .description("list the latest commands of a site, newest first")
    .argument("<site>", "site_…", idOf("site"))
    .action(async (siteId: string, _options: object, running: Command) => {
      const { output, connect } = context.session(running);
      const { client } = await connect();
      const response = await client.commands.listCommands({ siteId });
      output.json(toJson(ListCommandsResponseSchema, response) as object);
      const columns = [
        { title: "COMMAND", paint: output.colors.cyan },
        { title: "SENT" },
        { title: "WHAT" },
        { title: "STATE" },
        { title: "REASON", flexible: true },
      ];
      output.table(
        columns,
        response.commands.map(({ commandId, createdAt, type, compartmentId, state, refusal, reason }) => [
          commandId,
          createdAt === undefined ? "" : `${timestampDate(createdAt).toISOString().slice(0, 16)}Z`,
          `${typeName(type)} ${compartmentId}`.trimEnd(),
          `${stateName(state)} ${refusal}`.trimEnd(),
          reason,
        ]),
      );
      if (response.commands.length === 0) output.print(output.colors.dim("No commands in the last 7 days."));
    });

  command
    .command("allow-key")
    .description("let a key of yours sign commands; the first one allows itself, others are allowed by one that may")
    .argument("[key]", "the key's id, key_… (default: that of --key)")
    .requiredOption("--label <text>", "by which people tell the keys apart")
    .action(async (keyId: string | undefined, { label }: { label: string }, running: Command) => {
      const { output, connect } = context.session(running);
      const connection = await connect();
      const allowed = keyId ?? connection.signer.keyId;
      const commandKeys = await allowKey(connection, allowed, label);
      output.json(
        toJson(ListCommandKeysResponseSchema, create(ListCommandKeysResponseSchema, { ...(commandKeys && { commandKeys }) })) as object,
      );
      output.print(`${allowed} may sign commands.`);
    });

  command
    .command("keys")
    .description("list the keys that may sign commands; `petak keys revoke` ends one")
    .action(async (_options: object, running: Command) => {
      const { output, connect } = context.session(running);
      const { client } = await connect();
      const response = await client.commands.listCommandKeys({});
      output.json(toJson(ListCommandKeysResponseSchema, response) as object);
      const keys = response.commandKeys?.keys ?? [];
      const columns = [{ title: "KEY", paint: output.colors.cyan }, { title: "LABEL", flexible: true }, { title: "ALLOWED BY" }];
      output.table(
        columns,
        keys.map(({ keyId, label, byKeyId }) => [keyId, label, byKeyId === keyId ? "itself" : byKeyId]),
      );
      if (keys.length === 0) output.print(output.colors.dim("No key may sign commands. Allow one: petak command allow-key --label TEXT"));
    });
};
