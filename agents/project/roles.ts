/** What a file is for. Checks look at `source` first; the other roles weigh less or are left out. */
export type Role =
  | "source"
  | "test"
  | "fixture"
  | "example"
  | "tooling"
  | "docs"
  | "config"
  | "declaration"
  | "built"
  | "vendored"
  | "asset";

/** The language of a file by its name, or "other" for text and "binary" for what no check reads. */
export type Language = string;

const languages: Readonly<Record<string, Language>> = {
  ts: "typescript",
  mts: "typescript",
  cts: "typescript",
  tsx: "tsx",
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "javascript",
  html: "html",
  htm: "html",
  css: "css",
  scss: "css",
  less: "css",
  vue: "vue",
  svelte: "svelte",
  py: "python",
  pyi: "python-stub",
  go: "go",
  rs: "rust",
  c: "c",
  h: "c",
  cc: "c++",
  cpp: "c++",
  cxx: "c++",
  hpp: "c++",
  hh: "c++",
  java: "java",
  kt: "kotlin",
  rb: "ruby",
  pl: "perl",
  pm: "perl",
  php: "php",
  cs: "c#",
  swift: "swift",
  lua: "lua",
  scala: "scala",
  sh: "shell",
  bash: "shell",
  zsh: "shell",
  md: "markdown",
  markdown: "markdown",
  json: "json",
  jsonc: "json",
  json5: "json",
  yaml: "yaml",
  yml: "yaml",
  toml: "toml",
};

const textNames =
  /^(readme|licen[cs]e|copying|notice|changelog|changes|history|news|authors|codeowners|makefile|dockerfile|\.env.*|\.npmrc|\.netrc|id_rsa|id_ed25519|id_ecdsa|id_dsa|pkg-info|metadata|version)(\.|$|-)/i;
const textExtensions = new Set(
  "txt rst adoc cfg ini conf properties env pem key crt xml svg sql graphql proto tf mod sum lock gradle cmake mk in am ac m4 1 3 5 8 el tcl r pod t npmrc editorconfig gitignore gitattributes".split(
    " ",
  ),
);
const codeLanguages = new Set([
  "typescript",
  "tsx",
  "javascript",
  "vue",
  "svelte",
  "python",
  "go",
  "rust",
  "c",
  "c++",
  "java",
  "kotlin",
  "ruby",
  "perl",
  "php",
  "c#",
  "swift",
  "lua",
  "scala",
  "shell",
]);
const treeLanguages = new Set(["typescript", "tsx", "javascript"]);

export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}

export function languageOf(path: string): Language {
  const extension = extensionOf(path);
  const known = Object.hasOwn(languages, extension) ? languages[extension] : undefined;
  if (known !== undefined) return known;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const hidden = extension === "" && name.startsWith(".");
  return hidden || textExtensions.has(extension) || textNames.test(name) ? "other" : "binary";
}

/** Whether the language is program code rather than prose, data or markup. */
export function isCode(language: Language): boolean {
  return codeLanguages.has(language);
}

/** Whether the survey can give a syntax tree for the language. */
export function hasTree(language: Language): boolean {
  return treeLanguages.has(language);
}

const vendored = /(^|\/)(vendor|vendored|_vendor|_vendored|third[-_]?party|extern|externals?|bower_components)\//i;
const fixture =
  /(^|\/)(fixtures?|__fixtures__|testdata|test-data|test_data|__snapshots__|__mocks__|mocks?|stubs?|snapshots|cassettes|corpus)\//i;
const test =
  /(^|\/)(tests?|__tests__|specs?|e2e|test-d|type-tests?|typetests?|unittests?|integration-tests?)\/|([._-](test|tests|spec|e2e|test-d|cy)\.[^/]+$)|(^|\/)(test_[^/]+\.py|[^/]+_test\.(py|go|rb|cc|cpp)|conftest\.py|[^/]+\.t)$/i;
const example = /(^|\/)(examples?|demos?|samples?|playgrounds?|benchmarks?|bench|benches|tutorials?|sandbox)\//i;
const builtFolder = /(^|\/)(dist[^/]*|build|out|output|min|umd|bundles?|_?cjs|commonjs|\.output|storybook-static)\//i;
const underSource = /(^|\/)src\//i;
const builtName = /[.-](min|bundle|bundled|prod|production|umd|iife|global)\.[cm]?js$|-(min|bundle)\.[cm]?js$/i;
const tooling =
  /^(scripts?|tools?|tooling|\.github|\.circleci|\.ci|ci|config|\.storybook|gulp|tasks|hack|contrib|maintainers?)\/|(^|\/)[^/]*\.(config|conf|setup|workspace)\.[^/]+$|(^|\/)(gulpfile|gruntfile|webpack|rollup|setup|noxfile|fabfile|build)\.[^/]+$/i;
const docs = /(^|\/)(docs?|documentation|website)\/|^(site|www|man|guides?|wiki)\//i;
const configName =
  /(^|\/)(package(-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|tsconfig[^/]*\.json|pyproject\.toml|cargo\.(toml|lock)|go\.(mod|sum)|setup\.cfg|\.[^/]+)$/i;

/** The role of a path relative to the project's root. Later facts (only built code, compiled twins) may change it. */
export function roleOf(path: string, language: Language): Role {
  if (vendored.test(path)) return "vendored";
  if (fixture.test(path)) return "fixture";
  if (test.test(path)) return "test";
  if (example.test(path)) return "example";
  if (/\.d\.[cm]?ts$/.test(path)) return "declaration";
  if (language === "markdown" || (docs.test(path) && !isCode(language))) return "docs";
  if (builtName.test(path) || (builtFolder.test(path) && !underSource.test(path))) return "built";
  if (configName.test(path)) return "config";
  if (tooling.test(path) || docs.test(path)) return "tooling";
  if (isCode(language) || language === "html" || language === "css") return "source";
  return language === "other" ? "docs" : language === "binary" ? "asset" : "config";
}

/** How telling a file is when not all can be kept: manifests and root files, then sources, then the rest. */
export function rankOf(role: Role, depth: number): number {
  if (depth === 0 && role !== "asset") return 0;
  if (role === "source" || role === "config") return 1;
  if (role === "docs" || role === "tooling") return 2;
  if (role === "test" || role === "example" || role === "declaration") return 3;
  return role === "asset" ? 5 : 4;
}
export const rankCount = 6;
