import type { ChatLine, SupportCode } from "@guruconnect/api";
import { Button, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useApi } from "../account/account.tsx";
import { ErrorState, Refusal } from "../components/states.tsx";
import classes from "./SupportPage.module.css";
import { isLive, markRead } from "./support.ts";

/** What technician and customer wrote to each other, and the next line. */
export function Chat({ code, mine }: { code: SupportCode; mine: boolean }) {
  const api = useApi();
  const chat = useQuery({
    queryKey: ["chat", code.id],
    queryFn: ({ signal }) => api.chat(code.id, signal),
    staleTime: 0,
  });
  const list = useRef<HTMLUListElement>(null);
  const newest = chat.data?.at(-1)?.id ?? 0;
  useEffect(() => {
    const element = list.current;
    if (newest > 0 && element) element.scrollTop = element.scrollHeight;
  }, [newest]);
  useEffect(() => {
    const read = () => {
      if (newest > 0 && !document.hidden) markRead(code.id, newest);
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [code.id, newest]);
  return (
    <section className={classes.chat} aria-label="Chat">
      {chat.isPending && (
        <div className={classes.quiet} role="status" aria-label="Loading the chat">
          <Skeleton height={12} width="40%" />
        </div>
      )}
      {chat.isError && !chat.data && (
        <ErrorState error={chat.error} onRetry={() => void chat.refetch()} />
      )}
      {chat.data?.length === 0 && (
        <p className={classes.quiet}>
          {isLive(code)
            ? "Nothing was written yet. The customer can read and answer on the page where they typed the code."
            : "Nothing was written."}
        </p>
      )}
      <ul ref={list} className={classes.lines} aria-live="polite">
        {chat.data?.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </ul>
      {isLive(code) && mine && <Say code={code} />}
    </section>
  );
}

function Line({ line }: { line: ChatLine }) {
  return (
    <li data-own={!line.from_guest || undefined}>
      <span className={classes.author}>
        {line.author} <time dateTime={line.at}>{clockTime(line.at)}</time>
      </span>
      <span className={classes.text}>
        {splitLinks(line.text).map(({ text, url, at }) =>
          url ? (
            <a key={at} href={url} target="_blank" rel="noopener noreferrer nofollow">
              {text}
            </a>
          ) : (
            <span key={at}>{text}</span>
          ),
        )}
      </span>
    </li>
  );
}

function Say({ code }: { code: SupportCode }) {
  const api = useApi();
  const [text, setText] = useState("");
  // The same line keeps its name when it is tried again.
  const clientId = useRef("");
  const say = useMutation({
    mutationFn: (line: string) => api.say(code.id, clientId.current, line),
    onSuccess: (_, line) => {
      clientId.current = "";
      setText((current) => (current.trim() === line ? "" : current));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const line = text.trim();
    if (line === "" || say.isPending) return;
    if (clientId.current === "" || say.variables !== line) clientId.current = newClientId();
    say.mutate(line);
  };
  return (
    <form className={classes.say} onSubmit={submit}>
      <div className={classes.sayRow}>
        <TextInput
          aria-label="Message to the customer"
          placeholder="Write to the customer"
          value={text}
          maxLength={2_000}
          autoComplete="off"
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" loading={say.isPending} disabled={text.trim() === ""}>
          Send
        </Button>
      </div>
      <Refusal error={say.error} />
    </form>
  );
}

function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function clockTime(at: string): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** Only https leads anywhere, and only when somebody clicks it. */
const LINK = /https:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

interface Piece {
  text: string;
  url: string | null;
  at: number;
}

/** Text in pieces, some of which are links. */
export function splitLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    if (match.index > from)
      pieces.push({ text: text.slice(from, match.index), url: null, at: from });
    pieces.push({ text: match[0], url: readUrl(match[0]), at: match.index });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), url: null, at: from });
  return pieces;
}

function readUrl(text: string): string | null {
  try {
    const url = new URL(text);
    // A name in front of the host is there to deceive.
    return url.protocol === "https:" && url.username === "" ? url.href : null;
  } catch {
    return null;
  }
}
