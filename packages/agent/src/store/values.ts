import type { DatabaseSync } from "node:sqlite";

/** Named byte values of a store. */
export interface Facts {
  read(name: string): Uint8Array | undefined;
  write(name: string, value: Uint8Array): void;
  readText(name: string): string | undefined;
  writeText(name: string, value: string): void;
}

/** Named integers of a store. */
export interface Numbers {
  read(name: string): number | undefined;
  /** Writes a number, rounded down. */
  write(name: string, value: number): void;
}

/** Runs a change in a new transaction, or in the open one. */
export type Transaction = <T>(change: () => T) => T;

export function createFacts(database: DatabaseSync): Facts {
  const read = database.prepare("SELECT value FROM fact WHERE name = ?");
  const write = database.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)");
  const readFact = (name: string) => (read.get(name) as { value: Uint8Array } | undefined)?.value;
  return {
    read: readFact,
    write(name, value) {
      write.run(name, value);
    },
    readText(name) {
      const bytes = readFact(name);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    writeText(name, value) {
      write.run(name, new TextEncoder().encode(value));
    },
  };
}

export function createNumbers(database: DatabaseSync): Numbers {
  const read = database.prepare("SELECT value FROM number WHERE name = ?");
  const write = database.prepare("INSERT OR REPLACE INTO number (name, value) VALUES (?, ?)");
  return {
    read: (name) => (read.get(name) as { value: number } | undefined)?.value,
    write(name, value) {
      write.run(name, Math.floor(value));
    },
  };
}

/** Makes the transactions of a store. A change that throws is rolled back. */
export function createTransaction(database: DatabaseSync): Transaction {
  return (change) => {
    if (database.isTransaction) return change();
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      // On a full or broken disk SQLite may have rolled back by itself.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  };
}

/** Whether SQLite could not read or write: the disk is full, broken or read-only, or the file damaged. */
export function isStorageError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}
