import { randomBytes, randomInt, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { writePrivateFile } from "@petak/client/node";
import { isPrintable } from "@petak/protocol/printable-text";

/** Somebody who works at a store's counter. */
export interface Clerk {
  /** Stands in events in place of the name, and is given once. */
  readonly clerkId: string;
  readonly name: string;
  readonly isOwner: boolean;
}

/** The clerks of a store, in a file that only the device's owner can read. The agent reads it again when it has changed. */
export interface Clerks {
  all(): readonly Clerk[];
  /** What stands for a clerk's PIN, another with each new one. Undefined: there is no such clerk. */
  pinId(clerkId: string): string | undefined;
  /** The {@link pinId} of a clerk's PIN. Undefined: it is not the clerk's. It takes as long for somebody who is no clerk. */
  check(clerkId: string, pin: string): Promise<string | undefined>;
  /** Adds a clerk. Returns the PIN, which is kept nowhere. Throws a ClerkError. */
  add(name: string, isOwner: boolean): Promise<{ clerk: Clerk; pin: string }>;
  /** Makes a new PIN for a clerk, whose sessions end. Throws a ClerkError. */
  renew(clerkId: string): Promise<{ clerk: Clerk; pin: string }>;
  /** Removes a clerk, whose sessions end. Throws a ClerkError. */
  remove(clerkId: string): Promise<Clerk>;
}

/** Something cannot be done with the clerks of a store. */
export class ClerkError extends Error {
  override readonly name = "ClerkError";
}

interface StoredClerk {
  clerk_id: string;
  name: string;
  is_owner: boolean;
  salt: string;
  pin_hash: string;
}

interface ClerksFile {
  version: 1;
  /** How many were ever added, so that no id is given twice. */
  added: number;
  clerks: StoredClerk[];
}

const clerksMax = 100;
const nameMax = 40;
const pinDigits = 6;
/** 32 MB and some 80 ms for each guess. */
const cost = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const nobodysSalt = randomBytes(16).toString("base64url");

/** Opens the clerks of a store. A file that does not exist has none. */
export function openClerks(path: string): Clerks {
  let seen: { readonly stamp: string; readonly content: ClerksFile } | undefined;

  function read(): ClerksFile {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return { version: 1, added: 0, clerks: [] };
    const stamp = `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    if (seen?.stamp === stamp) return seen.content;
    const content = JSON.parse(readFileSync(path, "utf8")) as ClerksFile;
    if (content.version !== 1) throw new ClerkError(`${path} has version ${content.version} and this release reads only version 1`);
    seen = { stamp, content };
    return content;
  }

  function find(clerkId: string): StoredClerk {
    const found = read().clerks.find((one) => one.clerk_id === clerkId);
    if (found === undefined) throw new ClerkError(`there is no clerk '${clerkId}'`);
    return found;
  }

  async function write(content: ClerksFile): Promise<void> {
    await writePrivateFile(path, content);
  }

  async function withPin(clerk: Omit<StoredClerk, "salt" | "pin_hash">): Promise<{ stored: StoredClerk; pin: string }> {
    const pin = String(randomInt(10 ** pinDigits)).padStart(pinDigits, "0");
    const salt = randomBytes(16).toString("base64url");
    return { stored: { ...clerk, salt, pin_hash: (await hashOf(pin, salt)).toString("base64url") }, pin };
  }

  return {
    all: () => read().clerks.map(shown),
    // The salt is made anew with each PIN.
    pinId: (clerkId) => read().clerks.find((one) => one.clerk_id === clerkId)?.salt,
    async check(clerkId, pin) {
      const stored = read().clerks.find((one) => one.clerk_id === clerkId);
      const hash = await hashOf(pin, stored?.salt ?? nobodysSalt);
      const wanted = Buffer.from(stored?.pin_hash ?? "", "base64url");
      return wanted.length === hash.length && timingSafeEqual(wanted, hash) ? stored?.salt : undefined;
    },
    async add(name, isOwner) {
      const { added, clerks } = read();
      if (name === "" || name.length > nameMax || !isPrintable(name))
        throw new ClerkError(`the name of a clerk has 1 to ${nameMax} characters of one line`);
      if (clerks.length >= clerksMax) throw new ClerkError(`a store has at most ${clerksMax} clerks: remove one first`);
      const { stored, pin } = await withPin({ clerk_id: `clerk-${added + 1}`, name, is_owner: isOwner });
      await write({ version: 1, added: added + 1, clerks: [...clerks, stored] });
      return { clerk: shown(stored), pin };
    },
    async renew(clerkId) {
      const { stored, pin } = await withPin(find(clerkId));
      const { added, clerks } = read();
      await write({ version: 1, added, clerks: clerks.map((one) => (one.clerk_id === clerkId ? stored : one)) });
      return { clerk: shown(stored), pin };
    },
    async remove(clerkId) {
      const removed = find(clerkId);
      const { added, clerks } = read();
      await write({ version: 1, added, clerks: clerks.filter((one) => one.clerk_id !== clerkId) });
      return shown(removed);
    },
  };
}

function shown({ clerk_id: clerkId, name, is_owner: isOwner }: StoredClerk): Clerk {
  return { clerkId, name, isOwner };
}

function hashOf(pin: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(pin, Buffer.from(salt, "base64url"), 32, cost, (error, hash) => (error === null ? resolve(hash) : reject(error))),
  );
}
