import type { CommandNode } from "./command-tree.ts";
import { quote, walk } from "./shell-text.ts";

/** Completion for zsh: commands and options with their descriptions; where a value or an argument is due, files. */
export function zshScript(tree: CommandNode): string {
  return `#compdef petak
# Completion of petak for zsh. To load it, after compinit: source <(petak completion zsh)
_petak_at() {
  case $1 in
${[...walk(tree)].map(armOf).join("\n")}
  esac
}

_petak() {
  local at=petak word
  local -i i
  # zsh has special parameters named commands and options.
  local -a subs opts valued
  _petak_at "$at"
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if ((\${valued[(Ie)$word]})); then
      i=$((i + 1))
      if ((i == CURRENT)); then
        _files
        return
      fi
    elif [[ -n \${subs[(r)\${(b)word}:*]} ]]; then
      at+=" $word"
      _petak_at "$at"
    fi
  done
  if [[ $PREFIX == -* ]]; then
    _describe -o option opts
  elif ((\${#subs})); then
    _describe command subs
  else
    _files
  fi
}
# As a file of $fpath it is called at once; sourced, it is registered.
if [[ $funcstack[1] == _petak ]]; then _petak "$@"; else compdef _petak petak; fi
`;
}

function armOf({ path, node }: { path: string; node: CommandNode }): string {
  const described = (entries: readonly { name: string; description: string }[]) =>
    entries.map(({ name, description }) => quote(`${name}:${description}`)).join(" ");
  const valued = node.options.filter(({ takesValue }) => takesValue).map(({ name }) => quote(name));
  return `    ${quote(path)}) subs=(${described(node.commands)}) opts=(${described(node.options)}) valued=(${valued.join(" ")}) ;;`;
}
