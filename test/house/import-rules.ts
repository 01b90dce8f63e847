import { posix } from "node:path";
import { owners, pureXstate, rooms } from "./import-table.ts";
import type { Import } from "./source-files.ts";

/** The room a file of the house lies in. */
export function roomOf(path: string): string {
  const parts = path.split("/");
  const [top = "", second = ""] = parts;
  if (parts.length > 2) return `${top}/${second}`;
  const name = second.replace(/\.[a-z]+$/, "");
  if (top === "src" || path === "machines/index.ts" || path === "agents/index.ts") return `${top}/${name}`;
  return parts.length === 1 ? "house" : top;
}

function matches(pattern: string, room: string): boolean {
  return pattern === room || (pattern.endsWith("/*") && room.startsWith(pattern.slice(0, -1)));
}

function matchesAny(patterns: readonly string[] | undefined, room: string): boolean {
  return patterns?.some((pattern) => matches(pattern, room)) ?? false;
}

function rowOf(room: string): (typeof rooms)[number] | undefined {
  return rooms.find((row) => row.room === room) ?? rooms.find((row) => matches(row.room, room));
}

/** Rooms outside the floors may use what Node.js and the test runner offer. */
function isGuest(room: string): boolean {
  return ["test", "bench", "docs", "house"].includes(room.split("/")[0] ?? "");
}

function mayEnter(from: string, to: string, lazy: boolean): boolean {
  const row = rowOf(from);
  if (row === undefined) return false;
  if (matchesAny(row.beside, to) || (lazy && matchesAny(row.lazily, to))) return true;
  if (row.imports === "anything") return true;
  if (row.imports !== "lower") return matchesAny(row.imports, to);
  const target = rowOf(to);
  return target?.floor !== undefined && row.floor !== undefined && target.floor < row.floor;
}

function judgeRelative(path: string, entry: Import, specifier: string): string | undefined {
  const from = roomOf(path);
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (target.startsWith("..")) return `${path} imports ${specifier}, which is outside the package`;
  const to = target.startsWith("dist/") ? "dist" : roomOf(target);
  if (to === from || (isGuest(from) && to === "house")) return undefined;
  if (mayEnter(from, to, entry.lazy)) return undefined;
  const lazily = matchesAny(rowOf(from)?.lazily, to) ? "; reach it by await import(…)" : "";
  return `${path}: ${from} may not import ${to} (${specifier})${lazily}`;
}

function judgeDoor(path: string, entry: Import, door: string): string | undefined {
  const row = rowOf(roomOf(path));
  if (matchesAny(row?.doors, door) || (entry.lazy && matchesAny(row?.lazily, door))) return undefined;
  return `${path}: ${roomOf(path)} may not import the door ${door}`;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function judgePackage(path: string, entry: Import, specifier: string): string | undefined {
  const from = roomOf(path);
  if (isGuest(from)) return undefined;
  const name = packageOf(specifier);
  const owner = owners.find((row) => row.module === name);
  if (matchesAny(owner?.rooms, from)) {
    const impure = from.startsWith("machines") && name === "xstate" && !entry.typeOnly;
    const bad = impure ? entry.names.find((used) => !pureXstate.includes(used)) : undefined;
    return bad === undefined
      ? undefined
      : `${path}: machines/ may not take ${bad} from xstate, only ${pureXstate.join(", ")}`;
  }
  // Tenants bring their own libraries; that each has one owner is judged over all files.
  if (/^agents\b/.test(from) && owner === undefined) return undefined;
  if (/^(agents|examples|bin)\b/.test(from) && name.startsWith("node:")) return undefined;
  // The types of Node.js load nothing; floor 0 has no use even for those.
  if (from.startsWith("src/") && name.startsWith("node:") && entry.typeOnly) return undefined;
  return `${path}: ${from} does not own ${name}; give it an owner in test/house/import-table.ts, with the reason`;
}

/** Every import of one file that the table forbids, in words. */
export function judgeImports(path: string, imports: readonly Import[]): string[] {
  if (rowOf(roomOf(path)) === undefined && roomOf(path) !== "house") {
    return [`${path}: the room ${roomOf(path)} is not in test/house/import-table.ts`];
  }
  return imports.flatMap((entry) => {
    const { specifier } = entry;
    if (specifier === undefined) return judgeComputed(path);
    if (specifier.startsWith(".")) return judgeRelative(path, entry, specifier) ?? [];
    if (specifier === "troupe" || specifier.startsWith("troupe/")) return judgeDoor(path, entry, specifier) ?? [];
    return judgePackage(path, entry, specifier) ?? [];
  });
}

/** `import(variable)` hides its target from this table, so only the command (users' modules) and guests may. */
function judgeComputed(path: string): string[] {
  const from = roomOf(path);
  if (isGuest(from) || from === "src/cli" || from === "bin") return [];
  return [`${path}: ${from} may not import a computed path`];
}

/** Packages that more than one tenant room loads; a shared one belongs in agents/project. Types load nothing. */
export function findSharedTenants(files: readonly { path: string; imports: readonly Import[] }[]): string[] {
  const rooms = new Map<string, Set<string>>();
  for (const { path, imports } of files) {
    if (!path.startsWith("agents/")) continue;
    for (const { specifier, typeOnly } of imports) {
      if (specifier === undefined || typeOnly || /^(\.|node:|troupe(\/|$))/.test(specifier)) continue;
      const name = packageOf(specifier);
      if (owners.some((row) => row.module === name && matchesAny(row.rooms, roomOf(path)))) continue;
      rooms.set(name, (rooms.get(name) ?? new Set()).add(roomOf(path)));
    }
  }
  return [...rooms]
    .filter(([, users]) => users.size > 1)
    .map(([name, users]) => `${name} is used by ${[...users].join(" and ")}; it needs one owner room`);
}
