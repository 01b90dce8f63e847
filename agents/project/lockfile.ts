import { isRecord } from "./manifest.ts";
import type { Pace } from "./pace.ts";
import type { SourceText } from "./source.ts";
import type { Survey } from "./survey.ts";

/** One package that a lockfile fixes. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Where it is fetched from; empty where the lockfile leaves it to the registry. */
  readonly source: string;
  readonly integrity: boolean;
  /** A folder of the same project. */
  readonly linked: boolean;
  readonly dev: boolean;
  readonly licence: string | undefined;
  readonly deprecated: string | undefined;
  readonly line: number;
}

export type Lockfile =
  | { readonly ok: true; readonly path: string; readonly packages: readonly LockedPackage[] }
  | { readonly ok: false; readonly path: string; readonly why: string };

const readers: Readonly<
  Record<string, (source: SourceText, pace: Pace) => Promise<readonly LockedPackage[] | undefined>>
> = {
  "package-lock.json": readNpmLock,
  "npm-shrinkwrap.json": readNpmLock,
  "yarn.lock": readYarnLock,
  "pnpm-lock.yaml": readPnpmLock,
};

/** Reads the lockfile at the root; undefined when there is none of a form known here. */
export async function readLockfile(survey: Survey, pace: Pace): Promise<Lockfile | undefined> {
  for (const [path, read] of Object.entries(readers)) {
    const file = survey.find(path);
    if (file === undefined) continue;
    const source = await survey.text(file);
    if (source === undefined) return { ok: false, path, why: `${path} is too large or could not be read` };
    const packages = await read(source, pace);
    return packages === undefined
      ? { ok: false, path, why: `${path} is not of a form known here` }
      : { ok: true, path, packages };
  }
  const binary = survey.find("bun.lockb") ?? survey.find("bun.lock");
  return binary === undefined
    ? undefined
    : { ok: false, path: binary.path, why: `${binary.path} is not of a form known here` };
}

async function readNpmLock(source: SourceText, pace: Pace): Promise<readonly LockedPackage[] | undefined> {
  let data: unknown;
  try {
    data = JSON.parse(source.text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const entries = isRecord(data) && isRecord(data["packages"]) ? Object.entries(data["packages"]) : undefined;
  if (entries === undefined) return undefined;
  const packages: LockedPackage[] = [];
  let from = 0;
  for (const [path, entry] of entries) {
    await pace.breathe();
    if (path === "" || !isRecord(entry) || !path.includes("node_modules/")) continue;
    const at = source.text.indexOf(`${JSON.stringify(path)}:`, from);
    if (at !== -1) from = at;
    const text = (key: string): string | undefined => (typeof entry[key] === "string" ? entry[key] : undefined);
    packages.push({
      name: path.slice(path.lastIndexOf("node_modules/") + 13),
      version: text("version") ?? "",
      source: text("resolved") ?? "",
      integrity: text("integrity") !== undefined,
      linked: entry["link"] === true || entry["inBundle"] === true,
      dev: entry["dev"] === true || entry["devOptional"] === true,
      licence: text("license"),
      deprecated: text("deprecated"),
      line: at === -1 ? 1 : source.lineAt(at),
    });
  }
  return packages;
}

const nothingMore = { linked: false, dev: false, licence: undefined, deprecated: undefined };

/** yarn.lock of Yarn 1 and of later versions: blocks that begin at the margin. */
async function readYarnLock(source: SourceText, pace: Pace): Promise<readonly LockedPackage[] | undefined> {
  const packages: LockedPackage[] = [];
  for (const match of source.text.matchAll(/^("?)(@?[^@\s"]+)@[^\n]*:\n((?: +[^\n]*\n?)+)/gm)) {
    await pace.breathe();
    const [, , name = "", body = ""] = match;
    const source1 = /^ +resolved "([^"]+)"/m.exec(body)?.[1] ?? "";
    const later = /^ +resolution: "?[^"\n]+@(workspace|patch|link|portal|npm|git|https?|file)?:?/m.exec(body)?.[1];
    packages.push({
      ...nothingMore,
      name,
      version: /^ +version:? "?([^"\n]+)/m.exec(body)?.[1] ?? "",
      source: source1,
      integrity: /^ +(integrity|checksum)/m.test(body) || /#[0-9a-f]{40}/.test(source1),
      linked: later === "workspace" || later === "link",
      line: source.lineAt(match.index),
    });
  }
  return packages.length === 0 && source.text.length > 200 ? undefined : packages;
}

/** pnpm-lock.yaml: the packages section, one resolution each. */
async function readPnpmLock(source: SourceText, pace: Pace): Promise<readonly LockedPackage[] | undefined> {
  const start = source.text.search(/^packages:/m);
  if (start === -1) return /^lockfileVersion:/m.test(source.text) ? [] : undefined;
  const packages: LockedPackage[] = [];
  const tail = source.text.slice(start);
  for (const match of tail.matchAll(
    /^ {2}'?\/?(@?[^@'\s/]+(?:\/[^@'\s/]+)?)[@/]([^':()]+)[^\n]*:\n((?: {4,}[^\n]*\n?)*)/gm,
  )) {
    await pace.breathe();
    const [, name = "", version = "", body = ""] = match;
    const tarball = /tarball: ([^,}\s]+)/.exec(body)?.[1] ?? (/type: git|repo: /.test(body) ? "git" : "");
    packages.push({
      ...nothingMore,
      name,
      version,
      source: tarball,
      integrity: /integrity:/.test(body),
      linked: /directory:/.test(body),
      deprecated: /^ +deprecated: (.*)/m.exec(body)?.[1],
      line: source.lineAt(start + match.index),
    });
  }
  return packages;
}
