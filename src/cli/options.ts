/** The `--agents` option of every command that has one. */
export const agentsOption = {
  agents: {
    type: "string",
    value: "module",
    help: "a .ts or .js module whose default export is an agent, a list, or a function that returns them",
  },
} as const;

/** How `--auth` and `--tls` are written. */
export const authForms = "token:@file, token:env:NAME, ed25519:@file or mtls:@dir";
export const pairForm = "cert.pem,key.pem";

/** How a node that is dialled asks who comes, and what it shows them. */
export const doorOptions = {
  auth: { type: "string", value: "form", help: authForms },
  tls: { type: "string", value: pairForm, help: "speak TLS with this certificate and its key (wss://)" },
  ca: { type: "string", value: "ca.pem", help: "with --tls: also ask every peer for a certificate of this authority" },
} as const;

/** How a node that dials says who it is, and whom it believes. */
export const dialOptions = {
  auth: { type: "string", value: "form", help: `with --connect: ${authForms}` },
  ca: { type: "string", value: "ca.pem", help: "with --connect wss://: trust this authority, and not the usual ones" },
  tls: { type: "string", value: pairForm, help: "with --connect wss://: this node's certificate, where one is asked" },
} as const;
