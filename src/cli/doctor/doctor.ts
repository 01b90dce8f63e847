import type { CommandIo, ParsedArguments, Run } from "../command.ts";
import { checks, type DoctorCheck, type Finding } from "./checks.ts";

/** A check for each node that should be reachable. What that takes is loaded only where one is named. */
async function checkNodes(values: ParsedArguments["values"], io: CommandIo): Promise<readonly DoctorCheck[]> {
  const { connect = [], name } = values as { connect?: string[]; name?: string };
  const { auth, ca, tls, codec, timeout } = values;
  if (connect.length === 0 && (auth ?? ca ?? tls ?? codec ?? timeout) === undefined) return [];
  const [{ checkDialUrl }, { readDialProof }, { readCodec }, { readTimeout }, { reach, reachTimeoutMs }] =
    await Promise.all([
      import("../../remote/websocket-transport.ts"),
      import("../peer-auth.ts"),
      import("../peers/codec.ts"),
      import("../peers/patience.ts"),
      import("./reach.ts"),
    ]);
  for (const url of connect) checkDialUrl(url);
  const timeoutMs = readTimeout(values, reachTimeoutMs);
  const how = { ...readDialProof(values, connect, io.cwd), ...readCodec(values), name, timeoutMs };
  return connect.map((url) => reach(url, how, io.signal));
}

export const run: Run = async ({ values }, io) => {
  const all = [...checks, ...(await checkNodes(values, io))];
  const findings: (Finding & { readonly name: string })[] = [];
  for (const check of all) findings.push({ name: check.name, ...(await check.run(io.cwd)) });
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(
    ({ name, ok, message }) => `${ok ? "ok     " : "missing"}  ${name.padEnd(width)}  ${message}`,
  );
  // Only a finding that something cannot do without makes the command fail.
  const isFit = findings.every(({ ok, isOptional }) => ok || isOptional);
  const shown = findings.map(({ name, ok, message }) => ({ name, ok, message }));
  return { exitCode: isFit ? 0 : 1, json: { checks: shown }, text: `${lines.join("\n")}\n` };
};
