import { useMemo } from "preact/hooks";
import type { ImageView, ToolRunView } from "../protocol";
import { spelled } from "../ui/hidden";

const MEDIA_TYPES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The pictures that tools returned. */
export function Pictures({ runs }: { runs: readonly ToolRunView[] }) {
  const pictures = useMemo(() => runs.flatMap(picturesOf), [runs]);
  if (pictures.length === 0) return null;
  return (
    <div class="rb-tool-pictures">
      {pictures.map(({ source, alt }, index) => (
        <img key={index} src={source} alt={alt} />
      ))}
    </div>
  );
}

const picturesOf = ({ images, label, tool }: ToolRunView) =>
  images.filter(isPicture).map(({ media_type, data }) => ({
    source: `data:${media_type};base64,${data}`,
    alt: `Picture from ${spelled(label || tool)}`,
  }));

const isPicture = ({ media_type, data }: ImageView): boolean =>
  MEDIA_TYPES.has(media_type) && BASE64.test(data);
