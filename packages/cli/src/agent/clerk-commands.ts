import type { Clerk, Clerks } from "@petak/agent/counter";
import type { Command } from "commander";
import type { CommandContext, CommandModule } from "../command.ts";
import { asSentence, CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { deviceIn } from "./enrolled-device.ts";

/** `petak agent clerks`: who works at the counter of a store. The agent may run meanwhile. */
export const registerClerks: CommandModule = (command, context) => {
  const at = (name: string, description: string) =>
    command.command(name).description(description).requiredOption("--data-dir <folder>", "the folder of `enrol`");
  at("add <name>", "add a clerk, and print the PIN; nothing keeps it")
    .option("--owner", "the store's owner, who also sees the month", false)
    .action(async (name: string, { dataDir, owner }: { dataDir: string; owner: boolean }, running: Command) => {
      await withClerks(context, running, dataDir, async (clerks, session) => printPin(session, await clerks.add(name, owner)));
    });
  at("list", "list the clerks").action(async ({ dataDir }: { dataDir: string }, running: Command) => {
    await withClerks(context, running, dataDir, ({ all }, { output }) => {
      output.json(all());
      if (all().length === 0) output.print("There are no clerks yet.");
      for (const { clerkId, name, isOwner } of all()) output.print(`${clerkId}  ${name}${isOwner ? "  (owner)" : ""}`);
    });
  });
  at("pin <clerk>", "make a new PIN for a clerk, and print it; the old one is no longer good").action(
    async (clerkId: string, { dataDir }: { dataDir: string }, running: Command) => {
      await withClerks(context, running, dataDir, async (clerks, session) => printPin(session, await clerks.renew(clerkId)));
    },
  );
  at("remove <clerk>", "remove a clerk, whose sessions end").action(
    async (clerkId: string, { dataDir }: { dataDir: string }, running: Command) => {
      await withClerks(context, running, dataDir, async (clerks, { output }) => {
        const clerk = await clerks.remove(clerkId);
        output.json(clerk);
        output.print(`${clerk.clerkId} (${clerk.name}) is removed.`);
      });
    },
  );
};

async function withClerks(
  context: CommandContext,
  running: Command,
  dataDir: string,
  step: (clerks: Clerks, session: Session) => Promise<void> | void,
): Promise<void> {
  const session = context.session(running);
  const device = await deviceIn(session, running.parent ?? running, dataDir);
  const { ClerkError, openClerks } = await import("@petak/agent/counter");
  try {
    await step(openClerks(device.clerksPath), session);
  } catch (error) {
    if (error instanceof ClerkError) throw new CliFailure(asSentence(error.message), { reason: "clerks", cause: error });
    throw error;
  }
}

function printPin({ output }: Session, { clerk, pin }: { clerk: Clerk; pin: string }): void {
  output.json({ ...clerk, pin });
  output.print(`${clerk.clerkId} (${clerk.name}) signs in with the PIN ${output.colors.cyan(pin)}. It is shown once.`);
}
