/** What the user should know before writing: notices, a busy kernel, a kernel that is gone. */

import type { Store } from "../state/store";
import type { Ending } from "../transport";
import { Banner } from "../ui/Banner";
import { useSelect } from "../ui/hooks";

interface BannersProps {
  store: Store;
  /** What the kernel refused last. */
  complaint: string;
  onForgetComplaint(): void;
}

export function Banners({ store, complaint, onForgetComplaint }: BannersProps) {
  const notices = useSelect(store, (state) => state.notices);
  const connection = useSelect(store, (state) => state.connection);
  const ending = useSelect(store, (state) => state.ending);
  const isSlow = store.isKernelSlow.value;
  return (
    <div class="rb-banners">
      {notices.map(({ id, level, text }) => (
        <Banner
          key={id}
          level={level}
          onDismiss={() => store.command("dismiss_notice", { notice_id: id }).catch(() => {})}
        >
          {text}
        </Banner>
      ))}
      {complaint !== "" && (
        <Banner level="error" onDismiss={onForgetComplaint}>
          {complaint}
        </Banner>
      )}
      {connection === "gone" && (
        <Banner level="error">
          <strong>{GONE[ending]}</strong> What you typed is kept, here and for the chat that the cell shows
          then.
        </Banner>
      )}
      {connection === "offline" && (
        <Banner level="warning">
          <strong>Not connected.</strong> This page has lost the way to its server, and tries again by itself.
          What you send is sent then.
        </Banner>
      )}
      {connection === "silent" && (
        <Banner level="warning">
          <strong>The kernel does not answer.</strong> It may be busy in a long computation, or gone: then run
          the cell again.
        </Banner>
      )}
      {(connection === "live" || connection === "loading") && isSlow && <BusyBanner store={store} />}
    </div>
  );
}

const GONE: Readonly<Record<Ending, string>> = {
  restarted: "Kernel restarted: run the cell again.",
  ended: "The kernel has ended: run the cell again.",
  closed: "This chat was closed: run the cell again.",
};

function BusyBanner({ store }: { store: Store }) {
  const connection = useSelect(store, (state) => state.connection);
  const hasSubshells = useSelect(store, (state) => state.hasSubshells);
  const interrupt = (
    <>
      To interrupt it, press <kbd>I</kbd> <kbd>I</kbd> outside this box, or the ■ button of the notebook.
    </>
  );
  if (connection === "loading") {
    return (
      <Banner level="warning">
        <strong>Waiting for the kernel.</strong> It may be busy with a cell, or was restarted: then run the
        cell again. {interrupt}
      </Banner>
    );
  }
  return (
    <Banner level="warning">
      <strong>Kernel busy, queued.</strong>{" "}
      {hasSubshells
        ? "Your message is sent as soon as the kernel listens again."
        : "This kernel reads messages only between cells: yours is sent when the running cell ends (ipykernel 7 has no such wait)."}{" "}
      {interrupt}
    </Banner>
  );
}
