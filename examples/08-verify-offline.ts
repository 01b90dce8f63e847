import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMember, defineElectorate, encodeCertificate, encodeElectorate, createTroupe, type Voter } from "troupe";

// Four voters with keys of their own; the electorate is what everybody agreed on beforehand.
const voters = ["ann", "bob", "cy", "dee"].map((id, index): Voter => {
  const { member, signer } = createMember({ id });
  const recommendation = index < 3 ? "yes" : "no";
  return { member, signer, opine: async () => ({ ok: true, value: { recommendation, confidence: 0.9 } }) };
});
await using troupe = await createTroupe();
const decision = await troupe.decide({ question: "Ship?", options: ["yes", "no"], voters, close: "all" });
if (decision.certificate === null) throw new Error("three of four are a quorum");

const folder = mkdtempSync(join(tmpdir(), "troupe-example-"));
writeFileSync(join(folder, "certificate.json"), encodeCertificate(decision.certificate));
writeFileSync(join(folder, "electorate.json"), encodeElectorate(defineElectorate(voters.map(({ member }) => member))));

// A fresh process that knows nothing but the two files: no network, no store, no memory of the vote.
const verifier = `
  import { readFileSync } from "node:fs";
  import { verifyCertificateBytes } from "troupe";
  const [certificate, electorate] = ["certificate", "electorate"].map((name) =>
    readFileSync(process.argv[1] + "/" + name + ".json"));
  console.log(verifyCertificateBytes(certificate, electorate));
  const changed = Buffer.from(certificate.toString().replace('"option":"yes"', '"option":"no"'));
  console.log(verifyCertificateBytes(changed, electorate));
`;
// The program comes from here, so that it finds the package that this example has; the files from the folder.
const args = [...process.execArgv, "--input-type=module", "--eval", verifier, folder];
process.stdout.write(execFileSync(process.execPath, args, { cwd: import.meta.dirname }));
rmSync(folder, { recursive: true });
