import { DatabaseSync } from "node:sqlite";
import { beforeEach, vi } from "vitest";

/** The disks of the agents of a test, by the path of their databases. */
export interface Disks {
  /** Makes every change of a database fail, as on a full disk, or lets them pass again. */
  setFull(path: string, isFull: boolean): void;
}

/** Watches which databases are opened in each test of a file. Call it at the top of the file. */
export function useDisks(): Disks {
  const databases = new Map<string | null, DatabaseSync>();
  beforeEach(() => {
    const { exec } = DatabaseSync.prototype;
    vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
      databases.set(this.location(), this);
      exec.call(this, sql);
    });
    return () => {
      vi.restoreAllMocks();
      databases.clear();
    };
  });
  return {
    setFull(path, isFull) {
      const database = databases.get(path);
      if (database === undefined) throw new Error(`no database was opened at ${path}`);
      if (database.isOpen) database.exec(`PRAGMA query_only = ${isFull ? 1 : 0}`);
    },
  };
}
