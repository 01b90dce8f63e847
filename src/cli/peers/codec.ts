import { TroupeError } from "../../errors.ts";
import type { CodecName } from "../../remote/codecs/load.ts";
import type { ParsedArguments } from "../command.ts";
import { codecForms } from "../options.ts";

/** Reads `--codec`, as options of `listen` and `connect`. Errors: throws `usage/bad-argument`. */
export function readCodec(values: ParsedArguments["values"]): { readonly codec?: CodecName } {
  const given = values["codec"] as string | undefined;
  if (given === undefined) return {};
  if (given === "json" || given === "msgpack") return { codec: given };
  throw new TroupeError("usage/bad-argument", `--codec ${given}: it is one of ${codecForms.replace("|", ", ")}`);
}
