// Calls of the worker, which runs Copier.
import type { Answers, Loaded, Reply, Request, State } from "./contract";

declare const FILES: Record<string, string>; // hashes, from the build

type Call = Request extends infer Each ? (Each extends Request ? Omit<Each, "id"> : never) : never;
interface Waiting { resolve: (result: never) => void; reject: (error: Error) => void; partial: (state: State) => void }
interface Policies { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } }

export function startEngine(progress: (done: number, words: string) => void) {
  const waiting = new Map<number, Waiting>();
  // A worker with a blob's address has this page's Content-Security-Policy; one with its own address has none.
  const blob = new Blob([`import ${JSON.stringify(new URL(`worker.js?${FILES["worker.js"]}`, location.href).href)}`], { type: "text/javascript" });
  const { trustedTypes } = globalThis as { trustedTypes?: Policies };
  const policy = trustedTypes?.createPolicy("copier-pyo3", { createScriptURL: (url) => url });
  const url = URL.createObjectURL(blob);
  const worker = new Worker(policy ? policy.createScriptURL(url) : url, { type: "module" });
  worker.onerror = () => progress(0, "The worker cannot be started: reload the page.");
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if ("progress" in data) return progress(data.progress.done, data.progress.words);
    const call = waiting.get(data.id);
    if ("partial" in data) return call?.partial(data.partial);
    waiting.delete(data.id);
    "error" in data ? call?.reject(new Error(data.error)) : call?.resolve(data.result as never);
  };
  let id = 0;
  const ask = <Result>(request: Call, partial: Waiting["partial"] = () => undefined) =>
    new Promise<Result>((resolve, reject) => {
      waiting.set(++id, { resolve, reject, partial });
      worker.postMessage({ id, ...request });
    });
  return {
    state: (answers: Answers, partial?: Waiting["partial"]) => ask<State>({ do: "state", answers }, partial),
    zip: (answers: Answers) => ask<Uint8Array<ArrayBuffer>>({ do: "zip", answers }),
    parse: (text: string) => ask<Loaded>({ do: "parse", text }),
    older: (answers: Answers, commit: string) => ask<State>({ do: "older", answers, commit }),
  };
}
