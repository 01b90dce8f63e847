/**
 * The page of the bridge: the inspector in a frame, and a line that says how it stands. It asks the bridge for
 * events only once the inspector in the frame has said that it listens, and hands them to that origin alone.
 */

export const pageStyle = `
html, body { margin: 0; height: 100%; font: 13px/1.6 system-ui, sans-serif; background: #1b1d21; color: #d8dbe2; }
body { display: flex; flex-direction: column; }
#bar { display: flex; gap: 1em; padding: 2px 12px; white-space: nowrap; }
#state { flex: 1; overflow: hidden; text-overflow: ellipsis; }
#notice { color: #f0b429; overflow: hidden; text-overflow: ellipsis; }
iframe { flex: 1; width: 100%; border: 0; background: #fff; }
`;

export const pageScript = `"use strict";
const frame = document.querySelector("iframe");
const inspector = new URL(frame.dataset.inspector);
const state = document.getElementById("state");
const notice = document.getElementById("notice");
let socket;
let count = 0;

function isInspector(origin) {
  if (origin === inspector.origin) return true;
  const { protocol, hostname, port } = new URL(origin);
  return protocol === inspector.protocol && port === inspector.port && hostname.endsWith("." + inspector.hostname);
}

function show() {
  state.textContent = "watching: " + count.toLocaleString("en") + " events sent to the inspector";
}

function listen(origin) {
  socket?.close();
  const own = (socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/"));
  count = 0;
  own.onopen = show;
  own.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "@troupe.notice") {
      notice.textContent = message.text;
      return;
    }
    frame.contentWindow.postMessage(message, origin);
    count += 1;
    show();
  };
  own.onclose = () => {
    if (own === socket) state.textContent = "the troupe has closed; what was seen stays here (" + count + " events)";
  };
}

addEventListener("message", (event) => {
  if (event.source !== frame.contentWindow || event.data?.type !== "@statelyai.connected") return;
  if (isInspector(event.origin)) listen(event.origin);
  else state.textContent = "the frame has moved to " + event.origin + ", which is not the inspector; nothing is sent to it";
});

// Only now that its greeting can be heard.
frame.src = inspector.href;
`;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The page as HTML. `inspectorUrl` is checked by the caller. */
export function renderPage(inspectorUrl: string): string {
  const { host } = new URL(inspectorUrl);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Troupe in the Stately Inspector</title>
<link rel="stylesheet" href="/bridge.css">
</head>
<body>
<div id="bar"><span id="state">waiting for the inspector at ${escapeHtml(host)} to load; that needs the internet</span><span id="notice"></span></div>
<iframe data-inspector="${escapeHtml(inspectorUrl)}" title="Stately Inspector" referrerpolicy="no-referrer"></iframe>
<script src="/bridge.js"></script>
</body>
</html>
`;
}

/** What the page may load and talk to: its own files, its own socket, and the inspector in the frame. */
export function contentPolicy(inspectorUrl: string, ownOrigin: string): string {
  const { protocol, host } = new URL(inspectorUrl);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src ${ownOrigin.replace(/^http/, "ws")}`,
    `frame-src ${protocol}//${host} ${protocol}//*.${host}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
