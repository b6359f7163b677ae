import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import * as protocol from "@petak/protocol";
import * as sandbox from "@petak/protocol/sandbox";

/** What `--json` prints of a command, as docs/guides/command-line.md has it. */
export interface DocumentedJson {
  /** One value a line. */
  readonly isByLine: boolean;
  /** The value is one of these messages. Empty: it has {@link members}. */
  readonly messages: readonly DescMessage[];
  /** The members that it may have. Undefined: it is no object, or has others too. */
  readonly members: readonly string[] | undefined;
}

const page = readFileSync(join(import.meta.dirname, "../../../../docs/guides/command-line.md"), "utf8");

/** The rows of the table, by command without `petak`. */
export const documentedJson: ReadonlyMap<string, DocumentedJson> = new Map(
  [...(page.split("## What `--json` prints")[1] ?? "").matchAll(/^\| (`petak .*?`) \| (.*) \|$/gm)].flatMap(
    ([, commands = "", value = ""]) => commands.split(", ").map((command) => [command.slice("`petak ".length, -1), rowOf(value)] as const),
  ),
);

function rowOf(value: string): DocumentedJson {
  const words = [...value.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word);
  const isMessage = /^[A-Z]/.test(words[0] ?? "");
  const names = words.filter((word) => /^[a-z]/.test(word));
  return {
    isByLine: value.startsWith("a line each"),
    messages: isMessage ? words.map(messageOf) : [],
    members: isMessage || names.length === 0 || value.endsWith("…") ? undefined : names,
  };
}

function messageOf(name: string): DescMessage {
  const schema = ({ ...protocol, ...sandbox } as Record<string, unknown>)[`${name}Schema`];
  if (schema === undefined) throw new Error(`docs/guides/command-line.md names ${name}, which is no message of the protocol.`);
  return schema as DescMessage;
}

/** Checks what a successful `petak … --json` has printed. Throws an error that says how it differs from what is documented. */
export function checkDocumentedJson(argv: readonly string[], stdout: string): void {
  const words = withoutGlobals(argv);
  const said = [3, 2, 1].map((count) => words.slice(0, count).join(" "));
  // What is meant if no subcommand is named.
  const meant = ["list", "show"].map((name) => `${words[0]} ${name}`);
  const command = [...said, ...meant].find((one) => documentedJson.has(one)) ?? "";
  const row = documentedJson.get(command);
  if (row === undefined) throw new Error(`docs/guides/command-line.md does not say what petak ${words.join(" ")} --json prints.`);
  const texts = row.isByLine ? stdout.split("\n").filter((line) => line !== "") : [stdout];
  for (const text of texts) {
    const value = JSON.parse(text) as JsonValue;
    const problem = problemOf(row, value);
    if (problem !== undefined)
      throw new Error(`petak ${command} --json prints something else than docs/guides/command-line.md says: ${problem}`);
  }
}

function problemOf({ messages, members }: DocumentedJson, value: JsonValue): string | undefined {
  if (members !== undefined) {
    const others = Object.keys(value as object).filter((name) => !members.includes(name));
    return others.length === 0 ? undefined : `it has ${others.join(", ")}`;
  }
  const problems = messages.map((message) => {
    try {
      fromJson(message, value);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  });
  return problems.includes(undefined) ? undefined : problems[0];
}

/** The words of a call from the command on. */
function withoutGlobals(argv: readonly string[]): string[] {
  const [first, ...rest] = argv;
  if (first === "--url" || first === "--key") return withoutGlobals(rest.slice(1));
  if (first === "--json" || first === "--no-color") return withoutGlobals(rest);
  return [...argv];
}
