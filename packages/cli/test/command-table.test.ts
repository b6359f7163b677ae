import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { lazyCommands } from "../src/commands.ts";
import { type CommandNode, commandTree } from "../src/completion/command-tree.ts";
import { processIo } from "../src/process-io.ts";
import { documentedJson } from "../src/testing/documented-json.ts";
import { runPetak } from "../src/testing/run-petak.ts";

const root = join(import.meta.dirname, "../../..");
const page = await readFile(join(root, "docs/guides/command-line.md"), "utf8");
const [calls = "", excused = ""] = page.split("These calls have no command of their own:");
const rowsOf = (text: string) =>
  [...text.matchAll(/^\| `(\w+\/\w+)` \| (.+) \|$/gm)].map(([, call = "", rest = ""]) => [call, rest] as const);

const tree = await commandTree(processIo, lazyCommands);

/** The node of a command, e.g. `petak sites list`. */
function nodeOf(path: string): CommandNode | undefined {
  return path
    .split(" ")
    .slice(1)
    .reduce<CommandNode | undefined>((node, name) => node?.commands.find((one) => one.name === name), tree);
}

/** The code of all files of a folder, without tests. */
async function codeIn(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  return (await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))).join("\n");
}

/** The services in the generated files, so that none is missed that the protocol's package exports under a name of its own. */
async function allServices(): Promise<DescService[]> {
  const folder = join(root, "packages/protocol/src/gen/petak/v1");
  const files = (await readdir(folder)).filter((file) => file.endsWith("_service_pb.ts"));
  const modules = await Promise.all(files.map((file) => import(join(folder, file)) as Promise<Record<string, unknown>>));
  return modules.flatMap((module) =>
    Object.values(module).filter(
      (value): value is DescService => typeof value === "object" && value !== null && "kind" in value && value.kind === "service",
    ),
  );
}

describe("the command line speaks all of the protocol", async () => {
  const methods = (await allServices()).flatMap((service) => service.methods);

  test("each call has a command in docs/guides/command-line.md, or a reason why not", () => {
    const listed = [...rowsOf(calls), ...rowsOf(excused)].map(([call]) => call);
    expect(listed.toSorted()).toEqual(methods.map(({ name, parent }) => `${parent.name}/${name}`).toSorted());
  });

  test("each of these commands exists, and its code makes the call", async () => {
    const code = await codeIn(join(root, "packages/cli/src"));
    const enrolment = await codeIn(join(root, "packages/agent/src/device"));
    const missing = rowsOf(calls).filter(([call, command]) => {
      const { localName } = methods.find(({ name, parent }) => `${parent.name}/${name}` === call) ?? {};
      return nodeOf(command.replaceAll("`", "")) === undefined || !new RegExp(`\\.${localName}\\(`).test(code + enrolment);
    });
    expect(missing).toEqual([]);
  });
});

/** The commands that can be called: those without commands below them. */
const leaves = (node: CommandNode, path: string[]): string[][] =>
  node.commands.length === 0 ? [path] : node.commands.flatMap((one) => leaves(one, [...path, one.name]));

test("docs/guides/command-line.md says of each command what it prints with --json", () => {
  // It has a command below it, and can be called too.
  const callable = [...leaves(tree, []).map((path) => path.join(" ")), "report"];
  expect([...documentedJson.keys()].toSorted()).toEqual(callable.toSorted());
});

describe("help", () => {
  test("no option begins with --no- and takes a value: its name would lose the no", () => {
    const wrong = leaves(tree, []).filter((path) =>
      nodeOf(["petak", ...path].join(" "))?.options.some(({ name, takesValue }) => name.startsWith("--no-") && takesValue),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    "reserve",
    "confirm",
    "extend",
    "redirect",
    "cancel",
    "resolve",
    "reservation",
    "batch",
    "bundle",
    "events",
    "manifest",
    "sites",
    "sites terms",
    "capacity",
    "limits",
    "completion",
  ])("petak %s --help has examples", async (path) => {
    const { exitCode, stdout } = await runPetak([...path.split(" "), "--help"]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(new RegExp(`Examples?:\\s+.*petak (.*)${path}`))]);
  });
});
