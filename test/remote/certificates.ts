import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Authorities and certificates of one test, made by OpenSSL in a folder of their own. */
export class Certificates {
  readonly path = mkdtempSync(join(tmpdir(), "troupe-tls-"));

  constructor(...authorities: readonly string[]) {
    for (const name of authorities) {
      this.#key(name);
      this.#openssl(`req -new -x509 -key ${name}.key -days 2 -subj /CN=${name} -out ${name}.crt`);
    }
  }

  /** A folder with `ca.pem`, `cert.pem` and `key.pem` for this node; `days` below zero makes one that has expired. */
  issue(node: string, { by, days = 2 }: { readonly by: string; readonly days?: number }): Identity {
    const folder = join(this.path, node);
    mkdirSync(folder);
    this.#key(node);
    writeFileSync(join(this.path, `${node}.ext`), `subjectAltName=DNS:${node},DNS:localhost,IP:127.0.0.1\n`);
    this.#openssl(`req -new -key ${node}.key -subj /CN=${node} -out ${node}.csr`);
    this.#openssl(
      `x509 -req -in ${node}.csr -CA ${by}.crt -CAkey ${by}.key -CAcreateserial -days ${days} -extfile ${node}.ext -out ${node}/cert.pem`,
    );
    writeFileSync(join(folder, "key.pem"), this.#read(`${node}.key`));
    writeFileSync(join(folder, "ca.pem"), this.#read(`${by}.crt`));
    return { ca: this.#read(`${by}.crt`), cert: this.#read(`${node}/cert.pem`), key: this.#read(`${node}.key`) };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #key(name: string): void {
    this.#openssl(`ecparam -name prime256v1 -genkey -noout -out ${name}.key`);
  }

  #openssl(line: string): void {
    execFileSync("openssl", line.split(" "), { cwd: this.path, stdio: "pipe" });
  }

  #read(file: string): string {
    return readFileSync(join(this.path, file), "utf8");
  }
}
