import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { bashScript } from "../completion/bash-script.ts";
import { commandTree } from "../completion/command-tree.ts";
import { zshScript } from "../completion/zsh-script.ts";

const scripts = { bash: bashScript, zsh: zshScript } as const;

type Shell = keyof typeof scripts;

const examples = `
Examples:
  source <(petak completion bash)                      in this shell; in ~/.bashrc, in each one
  source <(petak completion zsh)                       the same for zsh, after compinit
  petak completion zsh > ~/.zfunc/_petak               in a folder of $fpath

It completes \`petak\`, not \`npx petak\`. Print it anew after an upgrade.`;

/** `petak completion`: prints the completion of commands and options for a shell. */
export const registerCompletion: CommandModule = (command, context) => {
  command
    .argument("<bash|zsh>", "the shell", parseShell)
    .addHelpText("after", examples)
    .action(async (shell: Shell, _options: object, running: Command) => {
      const { output, io } = context.session(running);
      const script = scripts[shell](await commandTree(io, context.commands));
      output.json({ shell, script });
      for (const line of script.trimEnd().split("\n")) output.print(line);
    });
};

function parseShell(text: string): Shell {
  if (text === "bash" || text === "zsh") return text;
  throw new InvalidArgumentError("write bash or zsh.");
}
