// Files that somebody chose for a message: by button, drop or paste; handed in at once, sent with the message.
// Not here: whether the server takes them.
import { useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import type { FileShown } from "./protocol";
import type { Store } from "./store";
import { say } from "./words";

interface One {
  key: number;
  name: string;
  done?: FileShown;
  failed?: string;
}

type List = FileList | File[] | null | undefined;

export interface Uploads {
  files: One[];
  /** How many a message may have; 0: none are taken here. */
  most: number;
  add(list: List): void;
  remove(file: One): void;
  clear(): void;
  paste(event: ClipboardEvent): void;
  /** Nothing is under way. */
  ready: boolean;
  done: FileShown[];
}

let keys = 0;

export function useUploads(store: Store): Uploads {
  const [files, setFiles] = useState<One[]>([]);
  const most = store.site.value?.limits.files ?? 0;
  const add = (list: List): void => {
    for (const file of [...(list ?? [])].slice(0, most)) {
      const one: One = { key: ++keys, name: file.name || "image.png" };
      setFiles((all) => [...all, one].slice(-most));
      const change = (facts: Partial<One>): void =>
        setFiles((all) => all.map((other) => (other.key === one.key ? { ...other, ...facts } : other)));
      store.upload(file).then(
        (done) => change({ done }),
        (error: Error) => {
          change({ failed: error.message });
          store.toast.value = error.message;
        },
      );
    }
  };
  return {
    files,
    most,
    add,
    remove: (file) => setFiles(files.filter((one) => one !== file)),
    clear: () => setFiles([]),
    paste: (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      add(event.clipboardData.files);
    },
    ready: files.every((file) => file.done || file.failed),
    done: files.flatMap((file) => file.done ?? []),
  };
}

/** For an element onto which files may be dropped. */
export function dropping(uploads: Pick<Uploads, "most" | "add">, over: (is: boolean) => void) {
  return {
    onDragOver: (event: DragEvent) => {
      if (!uploads.most) return;
      event.preventDefault();
      over(true);
    },
    onDragLeave: () => over(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      over(false);
      uploads.add(event.dataTransfer?.files);
    },
  };
}

/** What was chosen, and how it goes. */
export function Chosen({ uploads }: { uploads: Uploads }) {
  if (uploads.files.length === 0) return null;
  return (
    <div class="files">
      {uploads.files.map((file) => (
        <span class={`file${file.failed ? " bad" : ""}`} key={file.key} title={file.failed}>
          <span dir="auto">{file.name}</span>
          {!file.done && !file.failed && <span role="status">{say("sending")}</span>}
          <button class="icon" type="button" aria-label={say("remove", file.name)} onClick={() => uploads.remove(file)}>
            <Icon of="close" />
          </button>
        </span>
      ))}
    </div>
  );
}

/** The button; with words where there is room for them. */
export function Attach({ uploads, words }: { uploads: Uploads; words?: string }) {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          uploads.add(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
      <button class={words ? "chip" : "icon"} type="button" aria-label={words ? undefined : say("attach")} onClick={() => picker.current?.click()}>
        {words ? <>📎 {words}</> : <Icon of="clip" />}
      </button>
    </>
  );
}
