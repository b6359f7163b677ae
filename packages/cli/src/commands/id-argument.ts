import { InvalidArgumentError } from "commander";
import type { IdKind } from "../completion/id-kinds.ts";

/** What ids of a kind are of, and what lists them. */
const named: Readonly<Record<IdKind, string>> = {
  res: "a reservation, res_…; `petak reservations` lists yours",
  site: "a site, site_…; `petak sites list` and `petak find` show them",
  bdl: "a bundle, bdl_…; `petak reservation` shows that of a reservation",
  whe: "a webhook endpoint, whe_…; `petak webhooks list` lists yours",
  key: "a key, key_…; `petak keys list` lists yours",
  par: "a participant, par_…; `petak participants show` shows you, and `petak sites show` the operator of a site",
};

/** Returns a parser of ids of a kind. It refuses what is another's id or none, of which a list would just have nothing. */
export function idOf(kind: IdKind): (text: string) => string {
  return (text) => {
    if (new RegExp(`^${kind}_\\w+$`).test(text)) return text;
    throw new InvalidArgumentError(`write the id of ${named[kind]}.`);
  };
}

/** As {@link idOf}, for arguments and options that take several. */
export function idsOf(kind: IdKind): (text: string, earlier?: string[]) => string[] {
  const parse = idOf(kind);
  return (text, earlier = []) => [...earlier, parse(text)];
}
