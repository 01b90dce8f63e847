import { realpath } from "node:fs/promises";
import { commitsMax, tagsMax } from "./limits.ts";
import { runGit } from "./git.ts";
import type { Pace } from "./pace.ts";

export interface Commit {
  /** Author time, epoch milliseconds. */
  readonly at: number;
  /** Who: a number per distinct author address, so that no address enters a report. */
  readonly author: number;
  readonly changes: readonly { readonly path: string; readonly lines: number }[];
}

export interface History {
  /** Newest first. */
  readonly commits: readonly Commit[];
  /** True when older commits exist beyond the limit. */
  readonly cut: boolean;
  readonly tags: readonly { readonly name: string; readonly at: number }[];
  /** Paths under version control, relative to the examined folder. */
  readonly tracked: ReadonlySet<string>;
}

export type HistoryAnswer =
  | { readonly ok: true; readonly history: History }
  | { readonly ok: false; readonly why: string };

const commitMark = "\u001e";

/** Reads the git history of a folder, or says why there is none: no git, no repository, not tracked in it, shallow. */
export async function readHistory(folder: string, pace: Pace): Promise<HistoryAnswer> {
  const place = await runGit(
    folder,
    ["rev-parse", "--show-toplevel", "--is-shallow-repository", "--show-prefix"],
    pace.signal,
  );
  if (!place.ok) return place;
  const [top = "", shallow = "", prefix = ""] = place.text.split("\n");
  const inside = await realpath(top).then(
    (real) => folder === real || folder.startsWith(real === "/" ? "/" : `${real}/`),
    () => false,
  );
  if (!inside) return { ok: false, why: "the repository's work tree is another folder" };
  if (shallow === "true") return { ok: false, why: "the repository is a shallow clone, so its history is incomplete" };
  const listed = await runGit(folder, ["ls-files", "-z", "--cached", "--", "."], pace.signal);
  if (!listed.ok) return listed;
  const tracked = new Set(listed.text.split("\0").filter((path) => path !== ""));
  if (tracked.size === 0)
    return {
      ok: false,
      why: prefix === "" ? "the repository tracks no file" : "the folder lies in a repository that does not track it",
    };
  const format = `--format=${commitMark}%at%x1f%ae`;
  const log = await runGit(
    folder,
    [
      "log",
      `--max-count=${commitsMax + 1}`,
      "--no-merges",
      "--no-ext-diff",
      "--no-textconv",
      "--no-renames",
      "--no-show-signature",
      "--numstat",
      "-z",
      "--relative",
      format,
      "--",
      ".",
    ],
    pace.signal,
  );
  if (!log.ok)
    return /does not have any commits/.test(log.why) ? { ok: false, why: "the repository has no commit yet" } : log;
  const commits = await readCommits(log.text, pace);
  const tags = await runGit(
    folder,
    [
      "for-each-ref",
      "--sort=-creatordate",
      `--count=${tagsMax}`,
      "--format=%(refname:short)%09%(creatordate:unix)",
      "refs/tags",
    ],
    pace.signal,
  );
  return {
    ok: true,
    history: {
      commits: commits.slice(0, commitsMax),
      cut: log.cut || commits.length > commitsMax,
      tags: tags.ok ? readTags(tags.text) : [],
      tracked,
    },
  };
}

async function readCommits(text: string, pace: Pace): Promise<Commit[]> {
  const authors = new Map<string, number>();
  const commits: Commit[] = [];
  for (const block of text.split(commitMark)) {
    await pace.breathe();
    const [head = "", ...rows] = block.split(/\0\n?|\n/);
    const [at, address] = head.split("\u001f");
    if (at === undefined || address === undefined) continue;
    const known = authors.get(address.toLowerCase());
    const author = known ?? authors.size;
    if (known === undefined) authors.set(address.toLowerCase(), author);
    const changes = rows.flatMap((row) => {
      const [, added, deleted, path] = /^(\d+|-)\t(\d+|-)\t(.+)$/s.exec(row) ?? [];
      return path === undefined ? [] : [{ path, lines: (Number(added) || 0) + (Number(deleted) || 0) }];
    });
    commits.push({ at: Number(at) * 1_000, author, changes });
  }
  return commits;
}

function readTags(text: string): History["tags"] {
  return text.split("\n").flatMap((row) => {
    const [name, at] = row.split("\t");
    return name === undefined || at === undefined || !(Number(at) > 0) ? [] : [{ name, at: Number(at) * 1_000 }];
  });
}
