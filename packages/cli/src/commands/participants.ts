import { randomUUID } from "node:crypto";
import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ListParticipantsResponseSchema, type Participant, ParticipantSchema, Role } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { pagesOf } from "../pages.ts";
import { idOf } from "./id-argument.ts";

/** Participants of a page, the protocol's greatest. */
const pageSize = 500;

const roleNames: Record<string, Role> = {
  operator: Role.OPERATOR,
  courier: Role.COURIER,
  merchant: Role.MERCHANT,
  admin: Role.ADMIN,
  auditor: Role.AUDITOR,
};

/** `petak participants`: makes and lists participants, for administrators, and shows the caller itself. */
export const registerParticipants: CommandModule = (command, context) => {
  command
    .command("make")
    .description("make a participant")
    .requiredOption("--name <name>", "its name, 1 to 100 characters")
    .requiredOption("--role <role>", `its roles: ${Object.keys(roleNames).join(", ")}; several with commas, or repeated`, collectRoles)
    .action(async (options: { name: string; role: Role[] }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const { participant } = await client.participants.createParticipant({
        requestId: randomUUID(),
        displayName: options.name,
        roles: options.role,
      });
      if (participant === undefined) return;
      session.output.json(toJson(ParticipantSchema, participant));
      session.output.print(`Made ${session.output.colors.cyan(participant.participantId)}, ${participant.displayName}.`);
      // Changes are recorded in the network of the key that made them: those that matter to an auditor are in the live one.
      const mode = options.role.every((role) => role === Role.AUDITOR) ? "live" : "test";
      session.output.print(
        `Give it a key, with the same --key: npx petak keys make --participant ${participant.participantId} --mode ${mode} --out FILE`,
      );
      if (mode === "live")
        session.output.print("It then reads the changes of the live network; with a key of --mode test, those of the test network.");
    });

  command
    .command("show")
    .description("show a participant: yourself, or any for administrators")
    .argument("[participant]", "par_… (default: the caller)", idOf("par"), "")
    .action(async (participantId: string, _options: object, running: Command) => {
      const { output, connect } = context.session(running);
      const { client } = await connect();
      const { participant } = await client.participants.getParticipant({ participantId });
      if (participant === undefined) return;
      output.json(toJson(ParticipantSchema, participant));
      output.print(toRow(participant).join("  "));
    });

  command
    .command("list")
    .description("list the participants")
    .action(async (_options: object, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const response = create(ListParticipantsResponseSchema);
      for await (const page of pagesOf((cursor) => client.participants.listParticipants({ cursor, pageSize }))) {
        response.participants.push(...page.participants);
      }
      session.output.json(toJson(ListParticipantsResponseSchema, response));
      session.output.table(
        [
          { title: "PARTICIPANT", paint: session.output.colors.cyan },
          { title: "NAME", flexible: true },
          { title: "ROLES" },
          { title: "SINCE" },
        ],
        response.participants.map(toRow),
      );
    });
};

function toRow({ participantId, displayName, roles, createdAt }: Participant): string[] {
  const names = roles.map((role) => Object.entries(roleNames).find(([, one]) => one === role)?.[0] ?? "other");
  return [participantId, displayName, names.join(", "), createdAt === undefined ? "" : timestampDate(createdAt).toISOString().slice(0, 10)];
}

function collectRoles(text: string, earlier: readonly Role[] = []): Role[] {
  const roles = text.split(",").map((name) => roleNames[name.trim().toLowerCase()]);
  if (roles.some((role) => role === undefined)) throw new InvalidArgumentError(`write ${Object.keys(roleNames).join(", ")}.`);
  return [...new Set([...earlier, ...(roles as Role[])])];
}
