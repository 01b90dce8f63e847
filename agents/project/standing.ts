import { basename, dirname } from "node:path";
import type { Survey } from "./survey.ts";

const installFolders = new Set(["node_modules", "site-packages", "dist-packages"]);

/**
 * Whether a folder is a published or installed package rather than the place where it is worked on: no history,
 * and either a public package manifest or an installation folder around it. Such a package seldom carries its tests,
 * lockfile or change log, so their absence tells nothing.
 */
export function isPublished({ history, manifest, folder }: Survey): boolean {
  if (history.ok) return false;
  const parent = dirname(folder);
  const scoped = basename(parent).startsWith("@") ? dirname(parent) : parent;
  if (installFolders.has(basename(scoped))) return true;
  return (
    manifest !== undefined &&
    manifest.data["private"] !== true &&
    manifest.text("name") !== undefined &&
    manifest.text("version") !== undefined
  );
}

/** Whether the folder holds a project of any kind: sources, a manifest or documents. */
export function isProject({ files, manifest }: Survey): boolean {
  return manifest !== undefined || files.some(({ role }) => role === "source" || role === "tooling" || role === "test");
}
