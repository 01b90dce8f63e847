import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/ports/clock.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { SqliteStore } from "../../src/store/sqlite/store.ts";
import type { Durability } from "../../src/store/sqlite/protocol.ts";
import { describeStore } from "./store-contract.ts";
import type { Subject } from "./store-work.ts";

describeStore("memory", async () => {
  const store = new MemoryStore(systemClock);
  return { store, close: () => store[Symbol.asyncDispose]() };
});

async function openSqlite(durability: Durability): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-store-"));
  const open = (): Promise<SqliteStore> =>
    SqliteStore.open(join(folder, "troupe.db"), { durability, clock: systemClock });
  let store = await open();
  return {
    store,
    async reopen() {
      await store[Symbol.asyncDispose]();
      return (store = await open());
    },
    async close() {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

describeStore("SQLite", () => openSqlite("full"));
