import { expect, test } from "vitest";
import { lazyCommands } from "../src/commands.ts";
import { type CommandNode, commandTree } from "../src/completion/command-tree.ts";
import { argumentKinds, optionKinds, walk } from "../src/completion/shell-text.ts";
import { processIo } from "../src/process-io.ts";

/** The kinds of ids that each command takes as its arguments, in their order, and by its options. */
const expected: readonly (readonly [command: string, kinds: string])[] = [
  ["reserve", "site --operator=par --not-operator=par --elsewhere-operator=par"],
  ["confirm", "res"],
  ["extend", "res"],
  ["redirect", "res site --operator=par --not-operator=par --elsewhere-operator=par"],
  ["cancel", "res"],
  ["resolve", "res"],
  ["reservation", "res"],
  ["bundle make", "res..."],
  ["bundle set", "bdl res..."],
  ["bundle show", "bdl"],
  ["manifest", "site..."],
  ["events list", "--reservation=res"],
  ["events correct", "res -..."],
  ["sites list", "--operator=par"],
  ["sites show", "site"],
  ["sites free", "site..."],
  ["sites check", "site..."],
  ["sites pause", "site..."],
  ["sites resume", "site..."],
  ["sites retire", "site..."],
  ["sites terms set", "site..."],
  ["capacity report", "site -..."],
  ["capacity end", "site"],
  ["stores list", "site..."],
  ["stores close-early", "site..."],
  ["operator show", "par"],
  ["operator links", "--operator=par"],
  ["keys adopt", "- key"],
  ["keys revoke", "key"],
  ["agents enrol", "site"],
  ["agents list", "site"],
  ["agents revoke", "key"],
  ["agents takeover", "site --key=key"],
  ["agents reports", "site"],
  ["agents conditions", "site"],
  ["agents rotate-pins", "site"],
  ["agents replace", "site"],
  ["command open", "site -"],
  ["command out-of-service", "site -"],
  ["command in-service", "site -"],
  ["command sync", "site"],
  ["command restart", "site"],
  ["command logs", "site"],
  ["command list", "site"],
  ["command allow-key", "key"],
  ["participants show", "par"],
  ["audit", "--participant=par"],
  ["limits set", "par"],
  ["reservations", "--site=site"],
  ["courier certify", "--site=site"],
  ["courier manifest", "site"],
  ["courier handover", "--condition=res"],
  ["credentials issue", "res,site,bdl"],
  ["credentials list", "res,bdl"],
  ["credentials revoke", "res,site,bdl -"],
  ["webhooks show", "whe"],
  ["webhooks test", "whe"],
  ["webhooks rotate", "whe"],
  ["webhooks pause", "whe"],
  ["webhooks resume", "whe"],
  ["webhooks replay", "whe"],
  ["webhooks delete", "whe"],
  ["chain", "res"],
  ["countersign", "res -"],
  ["archive show", "res"],
  ["sandbox deposit", "res"],
  ["sandbox collect", "res,bdl"],
  ["sandbox visit", "site -"],
];

test("completion knows which ids a command takes by the words of its help", async () => {
  const kindsOf = (node: CommandNode) => [...argumentKinds(node), ...optionKinds(node)].join(" ");
  const commands = [...walk(await commandTree(processIo, lazyCommands))].filter(({ node }) => node.commands.length === 0);
  const found = commands.map(({ path, node }) => [path.replace(/^petak /, ""), kindsOf(node)]);
  expect(found.filter(([, kinds]) => kinds !== "").toSorted()).toEqual(expected.toSorted());
});
