import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { MarkdownRenderer } from "../markdown/renderer";
import type { ChatContext } from "./markdownContext";

interface MarkdownProps {
  text: string;
  isStreaming: boolean;
  context: ChatContext;
}

/** Markdown that may still grow; as it was written until the library that draws it is there. */
export function Markdown(props: MarkdownProps) {
  const library = props.context.markdown.value;
  useEffect(() => props.context.loadMarkdown(), [props.context]);
  if (library) return <Drawn {...props} makeRenderer={library.MarkdownRenderer} />;
  return <div class="rb-markdown rb-plain rb-undrawn">{props.text}</div>;
}

/** The nodes inside belong to the renderer, not to Preact. */
function Drawn({
  text,
  isStreaming,
  context,
  makeRenderer: Renderer,
}: MarkdownProps & { makeRenderer: typeof MarkdownRenderer }) {
  const element = useRef<HTMLDivElement>(null);
  const renderer = useRef<MarkdownRenderer | null>(null);
  useLayoutEffect(() => {
    if (!element.current) return;
    renderer.current = new Renderer(element.current, context);
    return () => renderer.current?.dispose();
  }, [Renderer, context]);
  useLayoutEffect(() => renderer.current?.update(text, !isStreaming), [text, isStreaming, Renderer, context]);
  return <div class="rb-markdown" ref={element} />;
}
