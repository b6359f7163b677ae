import type { CommandNode } from "./command-tree.ts";
import { argumentKinds, optionKinds, quote, walk } from "./shell-text.ts";

/** Completion for zsh: commands, options and ids with their descriptions; where another value or argument is due, files. */
export function zshScript(tree: CommandNode): string {
  return `#compdef petak
# Completion of petak for zsh. To load it, after compinit: source <(petak completion zsh)
_petak_at() {
  case $1 in
${[...walk(tree)].map(armOf).join("\n")}
  esac
}

# Offers ids of some kinds, or files. A line with a key or an address of its own gets no ids: they are asked with what the environment has. The petak of the
# PATH is asked, not a file of that name in this folder.
_petak_ids() {
  local -a lines ids
  if [[ -n $1 && $1 != - && -z $own ]]; then lines=(\${(f)"$(command petak completion zsh --ids $1 2>/dev/null)"}); fi
  ids=(\${lines%% *})
  if ((\${#ids})); then
    compadd -l -d lines -a -- ids
  else
    _files
  fi
}

_petak() {
  local at=petak word kind own
  local -i i taken
  # zsh has special parameters named commands and options.
  local -a subs opts valued kinds args
  _petak_at "$at"
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ $word == (--key|--url) ]]; then own=1; fi
    if ((\${valued[(Ie)$word]})); then
      i=$((i + 1))
      if ((i == CURRENT)); then
        kind=\${kinds[(r)$word=*]}
        _petak_ids \${kind#*=}
        return
      fi
    elif [[ -n \${subs[(r)\${(b)word}:*]} ]]; then
      at+=" $word"
      taken=0
      _petak_at "$at"
    elif [[ $word != -* ]]; then
      taken+=1
    fi
  done
  if [[ $PREFIX == -* ]]; then
    _describe -o option opts
  elif ! ((\${#subs})) || ! _describe command subs; then
    # What may come several times is the last.
    kind=\${args[taken + 1]:-\${(M)args[-1]:#*...}}
    _petak_ids \${kind%...}
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
  const quoted = (words: readonly string[]) => words.map(quote).join(" ");
  const ids = `kinds=(${quoted(optionKinds(node))}) args=(${quoted(argumentKinds(node))})`;
  return `    ${quote(path)}) subs=(${described(node.commands)}) opts=(${described(node.options)}) valued=(${valued.join(" ")}) ${ids} ;;`;
}
