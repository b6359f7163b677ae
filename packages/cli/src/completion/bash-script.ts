import type { CommandNode } from "./command-tree.ts";
import { quote, walk } from "./shell-text.ts";

/** Completion for bash: commands and options; where a value is due, bash's own completion of files. */
export function bashScript(tree: CommandNode): string {
  return `# Completion of petak for bash. To load it: source <(petak completion bash)
_petak_at() {
  case $1 in
${[...walk(tree)].map(armOf).join("\n")}
  esac
}

_petak() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at=petak commands options valued i word
  COMPREPLY=()
  _petak_at "$at"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $word && " $valued " == *" $word "* ]]; then
      i=$((i + 1))
      if ((i == COMP_CWORD)); then return; fi
    elif [[ -n $word && " $commands " == *" $word "* ]]; then
      at+=" $word"
      _petak_at "$at"
    fi
  done
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  fi
}
complete -o default -F _petak petak
`;
}

function armOf({ path, node }: { path: string; node: CommandNode }): string {
  const commands = node.commands.map(({ name }) => name).join(" ");
  const options = node.options.map(({ name }) => name).join(" ");
  const valued = node.options
    .filter(({ takesValue }) => takesValue)
    .map(({ name }) => name)
    .join(" ");
  return `    ${quote(path)}) commands=${quote(commands)} options=${quote(options)} valued=${quote(valued)} ;;`;
}
