import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { type Operator, OperatorSchema } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import type { Output } from "../terminal/output.ts";
import { idOf } from "./id-argument.ts";

/** `petak operator`: shows an operator, and sets its links. */
export const registerOperator: CommandModule = (command, context) => {
  command
    .command("show")
    .description("show the name and the links of an operator")
    .argument("<operator>", "par_…", idOf("par"))
    .action(async (operatorId: string, _options: object, running: Command) => {
      const session = context.session(running);
      const client = await session.connectToRead();
      print(session.output, (await client.directory.getOperator({ operatorId })).operator);
    });
  command
    .command("links")
    .description("set the links that couriers and consumers see; one that is not given is removed")
    .option("--website <url>", "your website, https://…", "")
    .option("--support <url>", "where somebody at one of your sites finds help, https://…", "")
    .option("--operator <operator>", "another operator, par_… (for administrators)", idOf("par"), "")
    .action(
      async ({ website, support, operator: operatorId }: { website: string; support: string; operator: string }, running: Command) => {
        const session = context.session(running);
        const { client } = await session.connect();
        const links = { websiteUrl: website, supportUrl: support };
        print(session.output, (await client.participants.setOperatorLinks({ requestId: randomUUID(), operatorId, links })).operator);
      },
    );
};

function print(output: Output, operator: Operator | undefined): void {
  if (operator === undefined) return;
  output.json(toJson(OperatorSchema, operator));
  const { displayName, operatorId, links } = operator;
  output.print(`${displayName} (${operatorId})`);
  output.print(`  website  ${links?.websiteUrl || "none"}`);
  output.print(`  support  ${links?.supportUrl || "none"}`);
}
