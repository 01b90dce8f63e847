/** Optional libraries of the experts. Without one, its checks are left out and the opinion says so. */
const loaders = {
  "@ast-grep/napi": () => import("@ast-grep/napi"),
  "@eslint-community/regexpp": () => import("@eslint-community/regexpp"),
  "@secretlint/core": () => import("@secretlint/core"),
  "@secretlint/secretlint-rule-preset-recommend": () => import("@secretlint/secretlint-rule-preset-recommend"),
  "github-slugger": () => import("github-slugger"),
  ignore: () => import("ignore"),
  "mdast-util-from-markdown": () => import("mdast-util-from-markdown"),
  publint: () => import("publint"),
  "publint/utils": () => import("publint/utils"),
  semver: () => import("semver"),
  "spdx-expression-parse": () => import("spdx-expression-parse"),
};

export type LibraryName = keyof typeof loaders;
type Library<Name extends LibraryName> = Awaited<ReturnType<(typeof loaders)[Name]>>;

export type Loaded<Name extends LibraryName> =
  | { readonly ok: true; readonly exports: Library<Name> }
  | { readonly ok: false; readonly why: string };

/** Loads an optional library, or says why it cannot: not installed, or broken here. */
export async function loadLibrary<Name extends LibraryName>(name: Name): Promise<Loaded<Name>> {
  try {
    return { ok: true, exports: (await loaders[name]()) as Library<Name> };
  } catch (error) {
    const missing = (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
    const why = missing
      ? `the optional package ${name} is not installed`
      : `the optional package ${name} could not be loaded: ${messageOf(error)}`;
    return { ok: false, why };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
