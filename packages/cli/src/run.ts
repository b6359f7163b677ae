import { Command, CommanderError, Help, type Option } from "commander";
import cliPackage from "../package.json" with { type: "json" };
import type { LazyCommand } from "./command.ts";
import { defaultKeyPath, defaultUrl } from "./defaults.ts";
import { ExitCode } from "./exit-code.ts";
import { helpText } from "./help-groups.ts";
import type { CliIo, GlobalOptions, Session } from "./session.ts";
import { createOutput } from "./terminal/output.ts";

/** A program with commands. */
export interface Program {
  readonly name: string;
  readonly description: string;
  /** Whether it calls with the key files of participants. */
  readonly hasKeys: boolean;
  /** Its commands in its help. Default: one after the other, with their descriptions. */
  readonly commandsText?: string;
}

/** `petak` itself. */
export const petak: Program = {
  name: "petak",
  description: "Parcel lockers and collection points over the Petak protocol.",
  hasKeys: true,
  commandsText: helpText(),
};

/**
 * Runs `petak` or another program once. Never throws and never ends the process: failures are printed and returned as an exit code.
 *
 * @param commands in the order of the help. Only the called one is loaded.
 */
export async function run(io: CliIo, commands: readonly LazyCommand[], what: Program = petak): Promise<ExitCode> {
  const sessions: Session[] = [];
  const program = createProgram(io, what);
  const byName = new Map(commands.map((command) => [command.name, command]));
  for (const { name, description } of commands) program.command(name).description(description);
  // The command whose help a usage error refers to.
  let called = what.name;
  const nameNested = (command: Command): void => {
    command.hook("preSubcommand", (_parent, nested) => {
      called = `${called} ${nested.name()}`;
      nameNested(nested);
    });
  };
  program.hook("preSubcommand", async (_program, command) => {
    called = `${what.name} ${command.name()}`;
    const lazy = byName.get(command.name());
    const [sessionModule, register] = await Promise.all([lazy?.isLocal === true ? undefined : import("./session.ts"), lazy?.load()]);
    nameNested(command);
    register?.(command, {
      io,
      commands,
      session(running) {
        if (sessionModule === undefined) throw new Error(`petak ${command.name()} takes no session.`);
        const session = sessionModule.createSession(io, running.optsWithGlobals<GlobalOptions>());
        sessions.push(session);
        return session;
      },
    });
  });
  try {
    await program.parseAsync(withHelp(io.argv, byName).map(protectHyphen), { from: "user" });
    return ExitCode.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return ExitCode.ok;
    // Without a command, commander has shown the help.
    if (error instanceof CommanderError && error.code === "commander.help") return ExitCode.usage;
    const { toFailure, usageFailure } = await import("./failure.ts");
    const failure =
      error instanceof CommanderError
        ? usageFailure(`${sentence(error.message)} Try \`${called} --help\`.`)
        : toFailure(error, sessions.at(-1)?.url ?? defaultUrl);
    outputOf(io, sessions).fail(failure);
    return failure.exitCode;
  } finally {
    for (const session of sessions) session.close();
  }
}

/** What the help of a program with groups says at the end. */
const moreHelp = `\`petak help COMMAND\` explains one, with examples.
Certificates: --tls-ca, --tls-client-cert, --tls-client-key FILE`;

/** The program without its commands. */
export function createProgram(io: Pick<CliIo, "stdout" | "stderr">, { name, description, hasKeys, commandsText }: Program): Command {
  const program = new Command(name).description(description).option("--url <address>", `the gateway (default: $PETAK_URL, ${defaultUrl})`);
  if (hasKeys) program.option("--key <file>", `your key file (default: $PETAK_KEY, ${defaultKeyPath})`);
  return program
    .option(
      "--tls-ca <file>",
      "the authorities of which the gateway must have a certificate, in PEM (env: PETAK_TLS_CA; default: the system's)",
    )
    .option("--tls-client-cert <file>", "a certificate, for a gateway that wants one of its clients, in PEM (env: PETAK_TLS_CLIENT_CERT)")
    .option("--tls-client-key <file>", "its private key in PEM (env: PETAK_TLS_CLIENT_KEY)")
    .option("--json", "print the result as one JSON value, errors too")
    .option("--no-color", "print without colours (env: NO_COLOR)")
    .version(cliPackage.version, "-V, --version", "print the version")
    .helpCommand(false)
    .exitOverride()
    .configureHelp({
      optionDescription,
      // The commands stay visible for the search for what a mistyped one may mean.
      formatHelp(command, helper) {
        const isGrouped = command.parent === null && commandsText !== undefined;
        const visibleOptions = () => helper.visibleOptions(command).filter(({ long }) => long?.startsWith("--tls-") !== true);
        const grouped = { visibleCommands: () => [], visibleOptions };
        const shown = isGrouped ? Object.assign(Object.create(helper) as Help, grouped) : helper;
        return Help.prototype.formatHelp.call(shown, command, shown);
      },
    })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      // The program says it itself, in its own words and as JSON where that is wanted.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      "after",
      `${commandsText === undefined ? "" : `\n${commandsText}\n\n${moreHelp}`}
Exit codes: 0 done, 1 the operation failed, 2 called wrongly,
3 no gateway answers, 4 a chain that is true and not shown to be complete.`,
    );
}

/** An option as the help has it: that nothing is the default of what may be left out goes without saying. */
function optionDescription(option: Option): string {
  const hasDefault = option.defaultValue !== "" && option.defaultValue !== false;
  return new Help().optionDescription(hasDefault ? option : Object.assign(Object.create(option), { defaultValue: undefined }));
}

/** `petak help sites list` is `petak sites list --help`. A command that is none is refused as if it were called. */
function withHelp(argv: readonly string[], commands: ReadonlyMap<string, LazyCommand>): readonly string[] {
  const [first, ...rest] = argv;
  if (first !== "help") return argv;
  return rest[0] === undefined || commands.has(rest[0]) ? [...rest, "--help"] : rest;
}

/** Without a session the arguments were not understood, so the wish for JSON is read from them as they are. */
function outputOf(io: CliIo, sessions: readonly Session[]) {
  return (
    sessions.at(-1)?.output ??
    createOutput({
      stdout: io.stdout,
      stderr: io.stderr,
      json: io.argv.includes("--json"),
      color: !io.argv.includes("--no-color"),
      env: io.env,
    })
  );
}

/**
 * A position south of the equator begins with a minus and would pass for an option, `-6.2,106.8`, and so would one in 64 of the hashes of credentials and of
 * the challenges of terminals. The true minus sign of Unicode, which positions may have anyway, keeps them apart.
 */
function protectHyphen(argument: string): string {
  const isPosition = /^-\d[\d.]*\s*[,;°\s]\s*[-−]?\d/.test(argument);
  return isPosition || /^-([\w-]{42}|[\w-]{21})$/.test(argument) ? `−${argument.slice(1)}` : argument;
}

function sentence(message: string): string {
  const text = message
    .replace(/^error: /, "")
    .replace(/^command-argument value/, "the value")
    .replace(/( is invalid[^.]*\. )([a-z])/, (_, before: string, first: string) => before + first.toUpperCase())
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!)]$/.test(capital) ? capital : `${capital}.`;
}
