import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandModule } from "../command.ts";
import { bashScript } from "../completion/bash-script.ts";
import { commandTree } from "../completion/command-tree.ts";
import { type IdKind, parseKinds } from "../completion/id-kinds.ts";
import { offeredIds } from "../completion/offered-ids.ts";
import { zshScript } from "../completion/zsh-script.ts";
import type { GlobalOptions } from "../session.ts";
import { createOutput } from "../terminal/output.ts";

const scripts = { bash: bashScript, zsh: zshScript } as const;

type Shell = keyof typeof scripts;

const examples = `
Examples:
  source <(petak completion bash)                      in this shell; in ~/.bashrc, in each one
  source <(petak completion zsh)                       the same for zsh, after compinit
  petak completion zsh > ~/.zfunc/_petak               in a folder of $fpath

It completes \`petak\`, not \`npx petak\`. Print it anew after an upgrade. Ids are asked of the gateway of PETAK_URL with the key of PETAK_KEY, or their
defaults, and kept for 10 s in ~/.cache/petak; a line with --key or --url gets none.`;

/** `petak completion`: prints the completion of commands, options and ids for a shell. */
export const registerCompletion: CommandModule = (command, { io, commands }) => {
  command
    .argument("<bash|zsh>", "the shell", parseShell)
    // For the scripts that it prints.
    .addOption(new Option("--ids <kinds>").argParser(parseKinds).hideHelp())
    .addHelpText("after", examples)
    .action(async (shell: Shell, { ids: kinds }: { ids?: IdKind[] }, running: Command) => {
      const { json, color } = running.optsWithGlobals<GlobalOptions>();
      const output = createOutput({ stdout: io.stdout, stderr: io.stderr, json, color, env: io.env });
      if (kinds !== undefined) {
        const ids = await offeredIds(io, kinds);
        output.json({ shell, ids });
        for (const { id, what } of ids) output.print(`${id}  ${what}`.trimEnd());
        return;
      }
      const script = scripts[shell](await commandTree(io, commands));
      output.json({ shell, script });
      for (const line of script.trimEnd().split("\n")) output.print(line);
    });
};

function parseShell(text: string): Shell {
  if (text === "bash" || text === "zsh") return text;
  throw new InvalidArgumentError("write bash or zsh.");
}
