// Runs the page's worker in Node.js: node page.mjs FOLDER. Requests and replies are lines of JSON; bytes are base64.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

// Pyodide takes this for a worker of a browser, so that it loads files as it does there.
Object.assign(process, { browser: true, type: "renderer" });
Object.assign(globalThis, { self: globalThis, WorkerGlobalScope: Object, location: pathToFileURL(`${process.argv[2]}/worker.js`) });
let answer;
globalThis.addEventListener = (kind, listener) => { answer = listener; };
globalThis.postMessage = (message) => {
  if (message.result instanceof Uint8Array) message = { ...message, result: Buffer.from(message.result).toString("base64") };
  process.stdout.write(`${JSON.stringify(message)}\n`);
};
globalThis.fetch = async (address, { integrity }) => {
  const content = readFileSync(fileURLToPath(address));
  const hash = `sha256-${createHash("sha256").update(content).digest("base64")}`;
  if (hash !== integrity) throw new TypeError(`${address} has the hash ${hash}, not ${integrity}`);
  return new Response(content, { headers: { "Content-Type": "application/wasm" } });
};
await import(pathToFileURL(`${process.argv[2]}/worker.js`));
for await (const line of createInterface({ input: process.stdin })) await answer({ data: JSON.parse(line) });
process.stdout.write("", () => process.exit());
