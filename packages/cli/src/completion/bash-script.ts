import type { CommandNode } from "./command-tree.ts";
import { argumentKinds, optionKinds, quote, walk } from "./shell-text.ts";

/** Completion for bash: commands, options and ids; where another value is due, bash's own completion of files. */
export function bashScript(tree: CommandNode): string {
  return `# Completion of petak for bash. To load it: source <(petak completion bash)
_petak_at() {
  case $1 in
${[...walk(tree)].map(armOf).join("\n")}
  esac
}

# Offers ids of some kinds. A line with a key or an address of its own gets none: they are asked with what the environment has. They are not words for
# compgen, which would run what stands in them; and the petak of the PATH is asked, not a file of that name in this folder.
_petak_ids() {
  if [[ -z $1 || $1 == - || -n $own ]]; then return; fi
  while read -r id what; do
    if [[ $id == "$cur"* ]]; then COMPREPLY+=("$id"); fi
  done < <(command petak completion bash --ids "$1" 2>/dev/null)
}

_petak() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at=petak commands options valued kinds args i word kind id what own='' taken=0
  COMPREPLY=()
  _petak_at "$at"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == --key || $word == --url ]]; then own=1; fi
    if [[ -n $word && " $valued " == *" $word "* ]]; then
      i=$((i + 1))
      if ((i == COMP_CWORD)); then
        for kind in $kinds; do
          if [[ $kind == "$word="* ]]; then _petak_ids "\${kind#*=}"; fi
        done
        return
      fi
    elif [[ -n $word && " $commands " == *" $word "* ]]; then
      at+=" $word"
      taken=0
      _petak_at "$at"
    elif [[ $word != -* ]]; then
      taken=$((taken + 1))
    fi
  done
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
    if ((\${#COMPREPLY[@]})); then return; fi
    for kind in $args; do
      if ((taken == 0)) || [[ $kind == *... ]]; then
        _petak_ids "\${kind%...}"
        return
      fi
      taken=$((taken - 1))
    done
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
  const ids = `kinds=${quote(optionKinds(node).join(" "))} args=${quote(argumentKinds(node).join(" "))}`;
  return `    ${quote(path)}) commands=${quote(commands)} options=${quote(options)} valued=${quote(valued)} ${ids} ;;`;
}
