import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTroupe, isTroupeError } from "troupe";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-open-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a troupe keeps its store in the file that it is given, and closing it frees the file", async () => {
  const store = join(folder, "troupe.db");
  {
    await using first = await createTroupe({ store, durability: "normal" });
    await first.store.append("notes", ["kept"]);
    await expect(createTroupe({ store })).rejects.toThrow(/in use by process/);
  }
  await using second = await createTroupe({ store });
  expect((await second.store.read("notes")).map(({ body }) => body)).toEqual(["kept"]);
});

test("a store that cannot be opened is told at the start, with the file and the reason", async () => {
  const opening = createTroupe({ store: join(folder, "no", "troupe.db") });
  await expect(opening).rejects.toSatisfy((thrown) => isTroupeError(thrown, "store/failed"));
  await expect(createTroupe({ store: "" })).rejects.toThrow(/name a file/);
  await expect(createTroupe({ durability: "some" as never })).rejects.toThrow(/full, normal, memory/);
});
