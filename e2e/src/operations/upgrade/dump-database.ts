import { DatabaseSync, type SQLOutputValue } from "node:sqlite";

/** The SQL statements that recreate a SQLite database, including its `user_version`. */
export function dumpDatabase(path: string): string {
  const database = new DatabaseSync(path);
  try {
    const tables = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").all() as {
      name: string;
      sql: string;
    }[];
    const lines = tables.flatMap(({ name, sql }) => [
      `${sql.replaceAll(/\s+/g, " ")};`,
      ...database
        .prepare(`SELECT * FROM ${name}`)
        .all()
        .map((row) => `INSERT INTO ${name} VALUES (${Object.values(row).map(literal).join(", ")});`),
    ]);
    const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
    return `${[...lines, `PRAGMA user_version = ${version};`].join("\n")}\n`;
  } finally {
    database.close();
  }
}

function literal(value: SQLOutputValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString("hex")}'`;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
