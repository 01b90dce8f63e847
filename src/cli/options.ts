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

/** The names that `--codec` takes. */
export const codecForms = "json|msgpack";

/** How a node that is dialled asks who comes, and what it shows them. */
export const doorOptions = {
  auth: { type: "string", value: "form", help: authForms },
  tls: { type: "string", value: pairForm, help: "speak TLS with this certificate and its key (wss://)" },
  ca: { type: "string", value: "ca.pem", help: "with --tls: also ask every peer for a certificate of this authority" },
  codec: {
    type: "string",
    value: codecForms,
    help: "json: take nothing else; msgpack: need the package msgpackr; default: both where it is installed",
  },
} as const;

/** How a node that dials says who it is, and whom it believes. */
export const dialOptions = {
  auth: { type: "string", value: "form", help: `with --connect: ${authForms}` },
  ca: { type: "string", value: "ca.pem", help: "with --connect wss://: trust this authority, and not the usual ones" },
  tls: { type: "string", value: pairForm, help: "with --connect wss://: this node's certificate, where one is asked" },
  codec: {
    type: "string",
    value: codecForms,
    help: "with --connect: how frames are written; default json; msgpack is for bytes, and needs msgpackr on both sides",
  },
} as const;
