import { pieces } from "./hidden";

/** Text that others wrote, as it is: never Markdown or HTML, apart from what stands around it, hidden characters seen. */
export function Inert({ text }: { text: string }) {
  return (
    <bdi>
      {pieces(text).map((piece, index) =>
        piece.isHidden ? (
          <span class="rb-hidden-char" title={`Hidden character ${piece.text}`} key={index}>
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  );
}
