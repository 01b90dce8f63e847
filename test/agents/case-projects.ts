import type { Check } from "../../agents/check.ts";
import { manyLines } from "./scene.ts";

export const nothing = "";
export const mark = "p_";
export const json = (value: unknown): string => JSON.stringify(value, null, 2);
export const manifest = (more: object = {}): string => json({ name: "thing", version: "1.0.0", ...more });
// Secrets for these tests are put together here, so that no scanner takes this file for a leak.
export const token = `gh${mark}${["a8Zk2LmQ", "pR4tVx6Y", "b0Nc1Wd3", "Ef5Gh7Ij", "9Kl2"].join("")}`;
export const mit = "MIT License\n\nPermission is hereby granted, free of charge, to any person\n";
export const steps = (count: number): string =>
  manyLines(count, (index) => `export const step${index} = (value) => value + ${index} * other${index};`);
export const locked = (entry: object): string =>
  json({ lockfileVersion: 3, packages: { "": {}, "node_modules/dep": entry } });
export const good = {
  version: "1.0.0",
  resolved: "https://registry.npmjs.org/dep/-/dep-1.0.0.tgz",
  integrity: "sha512-x",
};
export const depends = (more: object = {}): string => manifest({ dependencies: { dep: "^1.0.0" }, ...more });
export const bodies = (name: string): string =>
  `export function ${name}(list) {\n${manyLines(20, (index) => `  const total${index} = list.reduce((sum, one) => sum + one.price${index}, 0);`)}\n  return [total0, total19];\n}\n`;
export const tangled = (depth: number): string =>
  `export function tangle(a) {\n${"if (a) {\n".repeat(depth)}${"}\n".repeat(depth)}}\n`;

export interface CheckCase {
  readonly check: Check;
  readonly rule: string;
  readonly bad: Readonly<Record<string, string>>;
  readonly good: Readonly<Record<string, string>>;
  /** Where the finding points: "file:line", or "file". */
  readonly at?: string;
}
